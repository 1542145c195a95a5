# SPDX-License-Identifier: GPL-2.0-only
#
# Sphinx, for 'make docs'. The version is that of dkms.conf.

import re
from pathlib import Path

top = Path(__file__).resolve().parent.parent

project = "ashmem"
author = "ashmem maintainers"
copyright = "2026, ashmem maintainers"
version = release = re.search(
    r'^PACKAGE_VERSION="(.*)"', (top / "dkms.conf").read_text(), re.MULTILINE
).group(1)

extensions = ["sphinx.ext.graphviz"]
graphviz_output_format = "svg"
nitpicky = True
html_theme = "alabaster"
html_theme_options = {"description": "Android's anonymous shared memory for Linux"}
html_copy_source = False
html_show_sphinx = False
