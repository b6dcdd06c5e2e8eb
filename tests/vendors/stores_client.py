"""What a vendor's own client finds in the bucket `builds`: `stores_client.py s3|google|azure ENDPOINT`, a line an object.
With `make` after that, it makes the bucket; with `put NAME CONTENT [TIMES]` an object; `delete NAME` takes one away; and
`fetch FOLDER` puts all objects there."""
import hashlib
import os
import pathlib
import sys

# Those that every emulator of Azure has; they open nothing else.
ACCOUNT = "devstoreaccount1"
KEY = "Eby8vdM02xNOcqFlqUwJPLlmEtlCDXJ1OUzFT50uSRZ6IFsuFq2UVErCz4I6tq/K1SZFPTOtr/KBHBeksoGMGw=="


def s3(endpoint):
    import boto3

    client = boto3.client(
        "s3", endpoint_url=endpoint, region_name="us-east-1", aws_access_key_id="a", aws_secret_access_key="b"
    )
    yield {
        "make": lambda: client.create_bucket(Bucket="builds"),
        "put": lambda name, content, times=1: client.put_object(Bucket="builds", Key=name, Body=content.encode() * int(times)),
        "delete": lambda name: client.delete_object(Bucket="builds", Key=name),
    }
    for page in client.get_paginator("list_objects_v2").paginate(Bucket="builds"):
        for entry in page.get("Contents", []):
            yield entry["Key"], client.get_object(Bucket="builds", Key=entry["Key"])["Body"].read()


def google(endpoint):
    from google.auth.credentials import AnonymousCredentials
    from google.cloud import storage

    os.environ["STORAGE_EMULATOR_HOST"] = endpoint
    client = storage.Client(project="test", credentials=AnonymousCredentials())
    yield {
        "make": lambda: client.create_bucket("builds"),
        "put": lambda name, content: client.bucket("builds").blob(name).upload_from_string(content),
        "delete": lambda name: client.bucket("builds").blob(name).delete(),
    }
    for blob in client.list_blobs("builds"):
        yield blob.name, blob.download_as_bytes()


def azure(endpoint):
    from azure.storage.blob import BlobServiceClient

    client = BlobServiceClient(endpoint, credential={"account_name": ACCOUNT, "account_key": KEY})
    container = client.get_container_client("builds")
    yield {
        "make": container.create_container,
        "put": lambda name, content: container.upload_blob(name, content, overwrite=True),
        "delete": container.delete_blob,
    }
    for blob in container.list_blobs():
        yield blob.name, container.download_blob(blob.name).readall()


found = {"s3": s3, "google": google, "azure": azure}[sys.argv[1]](sys.argv[2])
acts = next(found)
if sys.argv[3:4] == ["fetch"]:
    for name, content in found:
        path = pathlib.Path(sys.argv[4], name)
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_bytes(content)
elif len(sys.argv) > 3:
    acts[sys.argv[3]](*sys.argv[4:])
else:
    for name, content in found:
        print(name, len(content), hashlib.sha256(content).hexdigest())
