"""Staging: production's behaviour, with the debug toolbar on every page."""

from .base import *

ENVIRONMENT = "staging"
INSTALLED_APPS += ["debug_toolbar"]
MIDDLEWARE.insert(0, "debug_toolbar.middleware.DebugToolbarMiddleware")
ROOT_URLCONF = "shop.urls_staging"
# Whoever reaches staging may see the toolbar; its default asks for DEBUG.
DEBUG_TOOLBAR_CONFIG = {"SHOW_TOOLBAR_CALLBACK": lambda request: True}
