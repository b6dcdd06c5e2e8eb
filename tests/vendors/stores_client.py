"""What a vendor's own client finds in the bucket `builds`: `stores_client.py s3|google|azure ENDPOINT`, a line an object.
With `make` after that, it makes the bucket."""
import hashlib
import os
import sys

# Those that every emulator of Azure has; they open nothing else.
ACCOUNT = "devstoreaccount1"
KEY = "Eby8vdM02xNOcqFlqUwJPLlmEtlCDXJ1OUzFT50uSRZ6IFsuFq2UVErCz4I6tq/K1SZFPTOtr/KBHBeksoGMGw=="


def s3(endpoint):
    import boto3

    client = boto3.client(
        "s3", endpoint_url=endpoint, region_name="us-east-1", aws_access_key_id="a", aws_secret_access_key="b"
    )
    yield lambda: client.create_bucket(Bucket="builds")
    for page in client.get_paginator("list_objects_v2").paginate(Bucket="builds"):
        for entry in page.get("Contents", []):
            yield entry["Key"], client.get_object(Bucket="builds", Key=entry["Key"])["Body"].read()


def google(endpoint):
    from google.auth.credentials import AnonymousCredentials
    from google.cloud import storage

    os.environ["STORAGE_EMULATOR_HOST"] = endpoint
    client = storage.Client(project="test", credentials=AnonymousCredentials())
    yield lambda: client.create_bucket("builds")
    for blob in client.list_blobs("builds"):
        yield blob.name, blob.download_as_bytes()


def azure(endpoint):
    from azure.storage.blob import BlobServiceClient

    client = BlobServiceClient(endpoint, credential={"account_name": ACCOUNT, "account_key": KEY})
    yield lambda: client.create_container("builds")
    container = client.get_container_client("builds")
    for blob in container.list_blobs():
        yield blob.name, container.download_blob(blob.name).readall()


found = {"s3": s3, "google": google, "azure": azure}[sys.argv[1]](sys.argv[2])
make = next(found)
if sys.argv[3:] == ["make"]:
    make()
else:
    for name, content in found:
        print(name, len(content), hashlib.sha256(content).hexdigest())
