#!/usr/bin/env python3
"""Django's command line, with development's settings unless the environment names others."""

import os
import sys

from django.core.management import execute_from_command_line

os.environ.setdefault("DJANGO_SETTINGS_MODULE", "shop.settings.development")

if __name__ == "__main__":
    execute_from_command_line(sys.argv)
