# What code a stage's function has, by Zappa's own settings and session: $LATEST's digest, and those of the versions that
# `zappa rollback` chooses from, in its order, the newest first. JSON on stdout.
import contextlib
import json
import sys

from zappa.cli import ZappaCLI

with contextlib.redirect_stdout(sys.stderr):
    cli = ZappaCLI()
    cli.api_stage = sys.argv[1]
    try:
        cli.load_settings()
    except Exception as error:
        sys.exit(f"zappa can't read its settings for `{cli.api_stage}`: {getattr(error, 'message', error)}")

client = cli.zappa.lambda_client
try:
    # One page, as Zappa reads it: what it does not see, it can't go back to.
    found = client.list_versions_by_function(FunctionName=cli.lambda_name)["Versions"]
except client.exceptions.ResourceNotFoundException:
    found = []
except Exception as error:
    sys.exit(f"AWS Lambda can't be asked for `{cli.lambda_name}`: {error}")
# $LATEST is the first of the first page.
latest = next((one for one in found if one["Version"] == "$LATEST"), None)
numbered = [one for one in found if one["Version"] != "$LATEST"]
numbered.sort(key=lambda one: int(one["Version"]), reverse=True)
print(
    json.dumps(
        {
            "function": cli.lambda_name,
            "latest": latest and latest["CodeSha256"],
            "versions": [one["CodeSha256"] for one in numbered],
            "whole": not cli.stage_config.get("slim_handler", False),
        }
    )
)
