# SPDX-License-Identifier: GPL-2.0-only
#
# The targets for people; kbuild reads Kbuild. 'make help' lists them.

KDIR ?= /lib/modules/$(shell uname -r)/build
INSTALL_MOD_DIR ?= updates

version := $(shell sed -n 's/^PACKAGE_VERSION="\(.*\)"/\1/p' dkms.conf)
bed := tools/testing/qemu
# As the kernel was built: clang's options aren't gcc's.
llvm = $(if $(LLVM)$(filter command%,$(origin CC)),,$(shell \
	grep -qsx CONFIG_CC_IS_CLANG=y '$(KDIR)/include/config/auto.conf' && echo LLVM=1))
kbuild = $(MAKE) -C '$(KDIR)' M='$(CURDIR)' $(llvm)
# The name of the running kernel. Not from include/config/kernel.release: Debian's headers
# have only the version there.
release = $(shell sed -n 's/.*UTS_RELEASE "\(.*\)".*/\1/p' \
	'$(KDIR)/include/generated/utsrelease.h' 2>/dev/null)
# The root of /lib/modules: packagers use DESTDIR, kernel people INSTALL_MOD_PATH.
mod_root = $(DESTDIR)$(INSTALL_MOD_PATH)
installed = $(mod_root)/lib/modules/$(release)/$(INSTALL_MOD_DIR)
depmod = depmod $(if $(mod_root),-b '$(mod_root)') $(release)

# For ashmem-nodes; distributions without sbin use /usr/bin.
SBINDIR ?= /usr/sbin
INCLUDEDIR ?= /usr/local/include
export SBINDIR

export KERNEL TEST MEM TIMEOUT TEST_TIMEOUT EXTRA_MODULES APPEND REFRESH STYLE AGAIN
export SEED PAGES SEEDS OPS MEASURE DOC JOBS SCENARIO
export MINUTES WORKERS REPLAY MERGE UNTIL_FOUND

.PHONY: modules install uninstall clean have-headers
.PHONY: dkms-install dkms-uninstall sign deb install-headers test-install
.PHONY: test-debug coverage
.PHONY: demo test test-bed test-sanitize test-differential test-mutants bench
.PHONY: test-tree test-probes test-matrix test-newest kunit
.PHONY: test-mutants-library test-mutants-command
.PHONY: fuzz test-fuzz fuzz-others soak proofs latency
.PHONY: style shell docs dist distcheck
.PHONY: selftests help

modules: have-headers
	+$(kbuild) modules

have-headers:
	@test -e '$(KDIR)/Makefile' -a -n '$(release)' || { \
		echo "no kernel headers in $(KDIR): install" \
			"linux-headers-$$(uname -r), or give another KDIR=" >&2; \
		exit 1; }

# Distributions do not ship their signing key, but kbuild would look for it and complain.
no_key = $(shell cd '$(KDIR)' && test -s "$$(sed -n \
	's/^CONFIG_MODULE_SIG_KEY="\(.*\)"/\1/p' .config)" || echo CONFIG_MODULE_SIG_ALL=)

# Nor does a machine that builds need what compresses the kernel's own modules.
plain = $(patsubst %,CONFIG_MODULE_COMPRESS%=,_ALL _GZIP _XZ _ZSTD) CONFIG_MODULE_COMPRESS=

install: modules
	+$(kbuild) $(no_key) $(plain) INSTALL_MOD_PATH='$(mod_root)' \
		INSTALL_MOD_DIR='$(INSTALL_MOD_DIR)' modules_install
	$(depmod)
	@$(nodes) install '$(mod_root)'

# The modules of DKMS, in its own directory, stay.
uninstall: have-headers
	if [ -d '$(installed)' ]; then \
		find '$(installed)' -path '$(installed)/dkms' -prune \
			-o -name 'ashmem_linux.ko*' -exec rm -f {} + && \
		find '$(installed)' -type d -empty -delete; \
	fi
	$(depmod)
	@$(nodes) uninstall '$(mod_root)'

nodes := tools/scripts/nodes.sh
dkms := tools/scripts/dkms.sh

# With DESTDIR only stage the sources for DKMS and the files for the names in /dev: the
# scripts of a package do the rest.
ifneq ($(DESTDIR),)
dkms-install:
	@$(dkms) source '$(DESTDIR)/usr/src/ashmem-$(version)'
	@$(nodes) install '$(DESTDIR)'

dkms-uninstall:
	rm -rf '$(DESTDIR)/usr/src/ashmem-$(version)'
	@$(nodes) uninstall '$(DESTDIR)'
else
dkms-install: have-headers
	@$(dkms) install '$(release)' '$(KDIR)' '$(INSTALL_MOD_PATH)'
	@$(nodes) install '$(INSTALL_MOD_PATH)'

dkms-uninstall:
	@$(dkms) uninstall
	@$(nodes) uninstall '$(INSTALL_MOD_PATH)'
endif

sign: have-headers
	@tools/scripts/sign.sh '$(KDIR)' '$(KEY)' '$(CERT)' \
		drivers/android/ashmem/ashmem_linux.ko

# <linux/ashmem.h>, for programs that use the device itself.
install-headers:
	install -d '$(DESTDIR)$(INCLUDEDIR)/linux'
	install -m 0644 include/uapi/linux/ashmem.h '$(DESTDIR)$(INCLUDEDIR)/linux/ashmem.h'

dist:
	@tools/scripts/dist.sh

distcheck:
	@tools/scripts/setup.sh deb install
	@tools/scripts/distcheck.sh

deb:
	@tools/scripts/setup.sh deb
	@tools/scripts/deb.sh

# Works without kernel headers too.
clean:
	+$(MAKE) -s -C tools/lib/ashmem clean
	+$(MAKE) -s -C tools/ashmem clean
	+$(MAKE) -s -C tools/testing/selftests/ashmem clean
	+$(MAKE) -s -C tools/demo clean
	rm -rf out Module.symvers modules.order .tmp_versions .module-common.* .*.cmd
	find Kbuild drivers $(bed)/faults \( -name '*.o' -o -name '*.ko' \
		-o -name '*.mod' -o -name '*.mod.c' -o -name '.*.cmd' \
		-o -name '*.o.d' -o -name modules.order \) -delete

demo:
	@tools/scripts/setup.sh demo
	@$(bed)/demo.sh

test:
	@tools/scripts/setup.sh test install $(if $(STYLE),style)
	@$(bed)/test.sh

test-bed:
	@tools/scripts/setup.sh test
	@$(bed)/testbed.sh

test-debug:
	@tools/scripts/setup.sh test
	@tools/testing/debug/run.sh

coverage:
	@tools/scripts/setup.sh test coverage
	@tools/testing/debug/run.sh --coverage

test-install:
	@tools/scripts/setup.sh install
	@tools/testing/install/test.sh

test-sanitize:
	@tools/scripts/setup.sh sanitize
	@tools/testing/sanitize/run.sh

test-differential:
	@tools/scripts/setup.sh test
	@tools/testing/differential/run.sh

test-tree:
	@tools/scripts/setup.sh tree
	@tools/testing/tree/test.sh

test-probes:
	@tools/scripts/setup.sh test
	@$(bed)/probes.sh

test-matrix:
	@tools/scripts/setup.sh test
	@$(bed)/matrix.sh

test-newest:
	@tools/scripts/setup.sh test
	@$(bed)/newest.sh

kunit:
	@tools/scripts/setup.sh kunit
	@ARCH='$(ARCH)' tools/testing/kunit/run.sh

test-mutants:
	@tools/scripts/setup.sh test
	@tools/testing/mutants/run.sh $(MUTANTS)

test-mutants-library test-mutants-command: test-mutants-%:
	@tools/scripts/setup.sh test
	@tools/testing/mutants/user.sh $* $(MUTANTS)

fuzz:
	@tools/scripts/setup.sh demo
	@tools/testing/fuzz/run.sh

test-fuzz:
	@tools/scripts/setup.sh demo
	@tools/testing/fuzz/prove.sh $(BUGS)

fuzz-others:
	@tools/scripts/setup.sh demo
	@tools/testing/fuzz/others.sh

soak:
	@tools/scripts/setup.sh demo
	@SOAK=1 tools/testing/fuzz/run.sh

proofs:
	@tools/scripts/setup.sh proofs
	@tools/testing/proofs/run.sh '$(PROOF)'

latency:
	@tools/scripts/setup.sh demo
	@tools/testing/latency/run.sh

bench:
	@tools/scripts/setup.sh bench
	@tools/testing/bench/run.sh

docs:
	@tools/scripts/setup.sh docs
	@sphinx-build -q -W --keep-going -b html Documentation out/docs
	@echo "docs: out/docs/index.html"

style:
	@tools/scripts/setup.sh style
	@tools/scripts/style.sh

shell:
	@tools/scripts/setup.sh demo
	@$(bed)/build.sh $(or $(KERNEL),6.1)
	@$(bed)/run.sh --shell $(or $(KERNEL),6.1)

selftests:
	+$(MAKE) -C tools/testing/selftests/ashmem run_tests

help:
	@sed -n 's/^#h //p; s/^#h$$//p' Makefile

#h Targets:
#h   modules     the module for the running kernel (what plain 'make' does)
#h   install     put it under /lib/modules and run depmod; with a udev rule for
#h               both names in /dev and the helper ashmem-nodes
#h   uninstall   take it away again
#h   dkms-install    have DKMS build it, now and for each new kernel
#h   dkms-uninstall  take that back
#h   sign        sign the module that was built, with KEY= and CERT=
#h   deb         Debian packages, in out/deb
#h   dist        the commit that is checked out as a tarball, in out/dist
#h   distcheck   that the tarball is reproducible, and the short tests on packages
#h               built from it (tools/scripts/release.sh makes a release)
#h   install-headers     <linux/ashmem.h> into INCLUDEDIR
#h   clean       remove what was built here (the cache stays)
#h
#h   demo        boot a stock kernel in QEMU and show the driver at work
#h   test        build for every kernel, boot each, run all tests
#h   test-matrix     the same for all kernels of tools/testing/qemu/kernels:
#h               realtime, cloud, 64-bit ARM, i386; ends in a table of them
#h   test-newest     what the newest kernel of Debian experimental breaks
#h   test-bed    prove that guests with faulty modules and tests fail
#h   test-debug  all tests on kernels with every checker on, and KUnit
#h   coverage    which lines and branches of the driver they run
#h   test-install    install, upgrade and remove the package in whole
#h               Debian systems, and boot them
#h   test-sanitize   library and command under ASan, UBSan, TSan, valgrind,
#h               and the library as a 64-bit ARM processor runs it
#h   test-differential  a million operations on the original and on ours
#h   test-mutants    plant faults in the driver, see that the tests catch them
#h   test-mutants-library    the same with the library, on this machine
#h   test-mutants-command    the same with the command
#h   kunit       the KUnit suites, by the kernel's own kunit.py
#h   test-tree   the driver in four kernel trees, y and m, for three machines
#h   test-probes what the driver asks of kernel headers, answered wrongly
#h   fuzz        a coverage-guided fuzzer on a kernel with all checkers
#h   test-fuzz   plant faults in the driver, see that the fuzzer finds them
#h   fuzz-others trinity and stress-ng on the device
#h   soak        a mixed load under memory pressure; no memory may be lost
#h   proofs      the purge protocol by spin, range.c in every state, lock-free reads
#h               by herd7
#h   bench       what calls cost, beside memfd and the original
#h   latency     how late a real-time task runs beside purges, by cyclictest
#h   style       checkpatch --strict, sparse, Coccinelle, clang's analyzer,
#h               kernel-doc, shellcheck, Sphinx, mandoc, reuse, banned words
#h   docs        the documentation as HTML, in out/docs
#h   shell       a shell in a guest that has the module loaded
#h   selftests   run the tests on this machine, where the module is loaded
#h
#h Variables:
#h   KDIR=dir            kernel headers, for modules, install and uninstall
#h   DESTDIR=dir, INSTALL_MOD_PATH=dir   the root directory of all that is
#h                       installed (none); dkms-install DESTDIR=dir only stages
#h                       files
#h   SBINDIR=dir         where ashmem-nodes goes (/usr/sbin)
#h   INCLUDEDIR=dir      where install-headers puts linux/ (/usr/local/include)
#h   INSTALL_MOD_DIR=dir     the directory in /lib/modules/RELEASE (updates)
#h   KEY=file CERT=file  private key and certificate, for sign
#h   KERNEL="6.1 7.3"    only these of the kernels in tools/testing/qemu/kernels,
#h                       for test, test-matrix, test-tree, test-probes,
#h                       test-install, test-differential, bench and style;
#h                       demo, shell and test-bed take one
#h                       (6.1), soak and test-mutants (7.3), latency (7.3-rt),
#h                       fuzz and fuzz-others (debug), also debug, race, realtime
#h                       or cfi, the kernels of test-debug
#h   KSRC=dir            kernel source whose kselftest_harness.h selftests take;
#h                       for test-newest one to come, like linux-next; for
#h                       test-tree one of 5.10 or later to build, boot and test
#h   TEST=pattern        only test programs whose name matches; for kunit
#h                       whole names, like 'ashmem_pin*', for test-tree checks
#h   ARCH=x86_64         where kunit runs: there or on i386 in QEMU (um)
#h   SEED=n PAGES=n      seed of kunit's random tests, and pages of the regions
#h                       that are tested exhaustively (5)
#h   SCENARIO="a b"      only these, for test-install (others by_hand ...)
#h   MUTANTS="a b"       only these faults, for the three test-mutants
#h   PROOF=pattern       only proofs whose name matches, for proofs ("herd seek")
#h   MINUTES=n           how long, for fuzz, soak (10), fuzz-others (3 each),
#h                       test-fuzz (10 each at most)
#h   SEED=n WORKERS=n    seed of the choices, number of processes (3), for
#h                       fuzz; SEED also for soak
#h   REPLAY=file         fuzz only runs the programs of this file
#h   MERGE=1             fuzz adds what it distilled to the corpus
#h   BARE=1 UNTIL_FOUND=1    fuzz starts without the corpus, ends with a finding
#h   BUGS="a b"          only these faults, for test-fuzz
#h   SEEDS=1-200 OPS=n   what test-differential runs
#h   MEASURE="pin purge" only measures whose names begin so, for bench
#h   DOC=1               bench puts its figures into Documentation/performance.rst,
#h                       test-matrix its table into README.md
#h   JOBS=n              guests at a time, for test, test-debug, coverage,
#h                       test-install and the three test-mutants (2)
#h   SUITES="pin* file*" only these programs on the debug kernels, for test-debug
#h   GUESTS="races kunit" only these of suites, kunit, races, realtime and cfi,
#h                       for it
#h   MEM=MiB             a guest's memory (640; the kernels of test-debug, fuzz
#h                       and bench have more)
#h   TIMEOUT=seconds     until a guest counts as hung (1800, more for long runs;
#h                       kunit 300, test-install 900, bench 1200, test-mutants 240,
#h                       after which a fault counts as caught; not for soak and fuzz)
#h   TEST_TIMEOUT=seconds    until a test program is killed (600; test-debug 2000)
#h   EXTRA_MODULES="a b:x=1" stock modules to load in the guest first
#h   APPEND="words"      for the guest's kernel command line
#h   STYLE=1             'make test' checks the style too
#h   AGAIN=1             a program whose tests failed runs once more
#h   REFRESH=1           make the build roots again from today's archive
#h   ASHMEM_CACHE=dir    roots, kernels and builds (~/.cache/ashmem)
#h   OUT=dir             logs and what is built for tests (out)
