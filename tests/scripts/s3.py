"""moto's S3 server on loopback, until standard input ends. Usage: s3.py BUCKET.

Prints one line of JSON: `url`, and two keys to the bucket, `write` and `read`, each `[id, secret]`. No other key is let in.
"""

from __future__ import annotations

import json
import logging
import sys

import boto3
from moto import settings
from moto.server import ThreadedMotoServer

ALLOWED = {"write": ["s3:*"], "read": ["s3:Get*", "s3:List*", "s3:Head*"]}

logging.getLogger("werkzeug").setLevel(logging.ERROR)
server = ThreadedMotoServer("127.0.0.1", port=0, verbose=False)
server.start()
host, port = server.get_host_and_port()
url = f"http://{host}:{port}"
options = {"endpoint_url": url, "region_name": "us-east-1", "aws_access_key_id": "a", "aws_secret_access_key": "b"}

boto3.client("s3", **options).create_bucket(Bucket=sys.argv[1])
iam = boto3.client("iam", **options)
keys = {}
for user, actions in ALLOWED.items():
    iam.create_user(UserName=user)
    statement = [{"Effect": "Allow", "Action": actions, "Resource": "*"}]
    policy = {"Version": "2012-10-17", "Statement": statement}
    iam.put_user_policy(UserName=user, PolicyName=user, PolicyDocument=json.dumps(policy))
    key = iam.create_access_key(UserName=user)["AccessKey"]
    keys[user] = [key["AccessKeyId"], key["SecretAccessKey"]]
settings.INITIAL_NO_AUTH_ACTION_COUNT = 0

print(json.dumps({"url": url, **keys}), flush=True)  # noqa: T201
sys.stdin.read()
server.stop()
