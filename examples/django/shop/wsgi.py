"""What a WSGI server serves. Which environment's settings it uses is said by DJANGO_SETTINGS_MODULE."""

from django.core.wsgi import get_wsgi_application

application = get_wsgi_application()
