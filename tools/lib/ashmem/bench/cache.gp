# SPDX-License-Identifier: GPL-2.0-only
#
# Usage: gnuplot -e "results='FILE.tsv'; picture='FILE.svg'" cache.gp
#
# What each kind of cache serves in each phase of "intense".

set terminal svg size 720,400 font "sans-serif,13" background "white"
set output picture
set style data histogram
set style histogram clustered gap 2
set style fill solid 0.9 border -1
set ylabel "requests per second; 1 is malloc-all with enough memory"
set xlabel "memory.max as a part of the thumbnails"
set logscale y
set yrange [0.003:1.5]
set key outside top center horizontal
set grid ytics

points(kind) = sprintf("<awk -F'\t' '$1 == \"intense\" && $2 == \"%s\" {sub(/.*:/, \"\", $3); print $3, $5}' '%s'", kind, results)
plot for [kind in "malloc-all malloc-least MADV_FREE memfd-max memfd-high ashmem"] \
	points(kind) using 2:xtic(1) title kind noenhanced
