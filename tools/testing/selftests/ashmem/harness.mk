# SPDX-License-Identifier: GPL-2.0-only
#
# Where the kernel's kselftest_harness.h is, for makefiles of tests to include:
# in KSELFTEST_DIR (the directory that holds it), in KSRC (a kernel tree), or in
# the project's download cache.

ifndef KSELFTEST_DIR
ifdef KSRC
KSELFTEST_DIR := $(KSRC)/tools/testing/selftests
else
KSELFTEST_DIR := $(patsubst %/,%,$(dir $(lastword $(sort $(wildcard \
	$(or $(ASHMEM_CACHE),$(or $(XDG_CACHE_HOME),$(HOME)/.cache)/ashmem)/source-*/tools/testing/selftests/kselftest_harness.h)))))
endif
endif

# It comes from outside: -isystem keeps its warnings to itself.
harness_flags = -isystem '$(KSELFTEST_DIR)'

check_harness:
	@test -f '$(KSELFTEST_DIR)/kselftest_harness.h' || { \
		echo 'no kselftest_harness.h: set KSELFTEST_DIR=<its directory> or KSRC=<kernel tree>' >&2; \
		exit 1; }

.PHONY: check_harness
