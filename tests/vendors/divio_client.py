"""What Divio's own client asks, for the same work: URL APPLICATION."""

import os
import sys
import tempfile
import time

url, application = sys.argv[1:]
with tempfile.TemporaryDirectory() as home:
    # It reads and writes settings there, and waits between its looks.
    os.environ["HOME"] = home
    time.sleep = lambda seconds: None
    import divio_cli.localdev  # first: they need each other
    from divio_cli import cloud

    cloud.sleep = time.sleep
    client = cloud.CloudClient(url)
    client.authenticate("d1v1o")
    client.deploy_application_or_get_progress(application, "live", "AUTO")
    client.get_deploy_log(application, "live")
