"""A developer's machine, and the tests."""

from .base import *

ENVIRONMENT = "development"
DEBUG = True
# Django serves static files itself here, and none are collected.
MIDDLEWARE.remove("whitenoise.middleware.WhiteNoiseMiddleware")
STORAGES["staticfiles"] = {"BACKEND": "django.contrib.staticfiles.storage.StaticFilesStorage"}
