# SPDX-License-Identifier: GPL-2.0-only
#
# Usage: gnuplot -e "results='FILE.tsv'; picture='FILE.svg'" plot.gp
#
# What a PIN and an UNPIN cost together against the number of ranges that stand
# unpinned beside them.

set terminal svg size 720,440 font "sans-serif,13" background "white"
set output picture
set logscale xy
set format x "%.0s%c"
set format y "%.0s%c"
set xlabel "standing unpinned ranges in the region"
set ylabel "instructions for PIN + UNPIN of a page"
set key top left
set grid
set yrange [1000:*]

points(who) = sprintf("<awk -F'\t' '$1 ~ /^pin_unpin[/]/ && $2 == \"%s\" {sub(/.*[/]/, \"\", $1); print $1, $3}' '%s'", who, results)
original = system(sprintf("grep -c '^pin_unpin/1\toriginal' '%s' || true", results)) + 0

if (original) {
	plot points("original") with linespoints lw 2 pt 7 lc rgb "#b03a2e" title "original", \
	     points("ours") with linespoints lw 2 pt 5 lc rgb "#1f618d" title "this driver"
} else {
	plot points("ours") with linespoints lw 2 pt 5 lc rgb "#1f618d" title "this driver"
}
