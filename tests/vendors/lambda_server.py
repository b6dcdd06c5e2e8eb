"""AWS as far as Zappa needs it: moto's server, with the three things that Zappa asks for and moto lacks. A port of 0 takes a
free one; where it listens it says as moto does."""

import http.server
import os
import re
import threading

from moto.awslambda import models, urls
from moto.awslambda.responses import LambdaResponse

codes = {}


class Codes(http.server.BaseHTTPRequestHandler):
    """The code of functions, by its digest: AWS gives it out of a bucket of its own. It does not while there is a file where
    `CODE_IS_GONE` says."""

    def do_GET(self):
        code = codes.get(self.path.removeprefix("/"))
        if os.path.exists(os.environ.get("CODE_IS_GONE", "")):
            code = None
        self.send_response(404 if code is None else 200)
        self.send_header("Content-Length", str(len(code or b"")))
        self.end_headers()
        self.wfile.write(code or b"")

    def log_message(self, *_):
        pass


place = http.server.ThreadingHTTPServer(("127.0.0.1", 0), Codes)
threading.Thread(target=place.serve_forever, daemon=True).start()

# What a function's code can be fetched from.
get_code = models.LambdaFunction.get_code


def get_code_that_is_there(self):
    answer = get_code(self)
    name = re.sub(r"\W", "", self.code_sha_256)
    codes[name] = self.code_bytes
    answer["Code"]["Location"] = f"http://127.0.0.1:{place.server_port}/{name}"
    return answer


models.LambdaFunction.get_code = get_code_that_is_there

# A partial ARN: `function:NAME:VERSION`.
by_name = models.LambdaStorage.get_function_by_name_or_arn_with_qualifier


def by_partial_arn(self, name_or_arn, qualifier=None):
    if name_or_arn.startswith("function:"):
        _, name_or_arn, *rest = name_or_arn.split(":")
        qualifier = rest[0] if rest else qualifier
    return by_name(self, name_or_arn, qualifier)


models.LambdaStorage.get_function_by_name_or_arn_with_qualifier = by_partial_arn

# ListFunctionUrlConfigs: there are none.
LambdaResponse.list_function_url_configs = lambda self: '{"FunctionUrlConfigs": []}'
urls.url_paths[r"{0}/(?P<api_version>[^/]+)/functions/(?P<function_name>[\w_:%-]+)/urls/?$"] = LambdaResponse.dispatch

from moto.server import main  # noqa: E402: it reads what was changed above

main(["--host", "127.0.0.1", "--port", "0"])
