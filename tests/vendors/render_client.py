"""What Render's own client asks, for the same work: URL COMMIT BODY..., where BODY is what deploy sent as it began."""

import json
import sys

from render.public_api.api.deploys import (
    cancel_deploy,
    create_deploy,
    list_deploys,
    retrieve_deploy,
    rollback_deploy,
)
from render.public_api.api.logs import list_logs
from render.public_api.api.services import retrieve_service
from render.public_api.client import AuthenticatedClient
from render.public_api.models.create_deploy_body import CreateDeployBody
from render.public_api.models.deploy import Deploy
from render.public_api.models.deploy_status import DeployStatus
from render.public_api.models.rollback_deploy_body import RollbackDeployBody

url, commit, *bodies = sys.argv[1:]
client = AuthenticatedClient(base_url=url, token="rnd_t0ken")

# What deploy sent is what the vendor's models hold, and nothing more.
for body in map(json.loads, bodies):
    model = RollbackDeployBody if "deployId" in body else CreateDeployBody
    assert model.from_dict(body).to_dict() == body, body
    assert not model.from_dict(body).additional_properties, body

service = retrieve_service.sync("srv-1", client=client)
assert service.owner_id == "tea-1" and service.auto_deploy.value in ("yes", "no"), service
listed = list_deploys.sync("srv-1", client=client, limit=20)
assert all(isinstance(one.deploy, Deploy) for one in listed), listed
begun = create_deploy.sync("srv-1", client=client, body=CreateDeployBody(commit_id=commit))
assert isinstance(begun, Deploy), begun
while True:
    deploy = retrieve_deploy.sync("srv-1", begun.id, client=client)
    assert isinstance(deploy.status, DeployStatus), deploy
    if deploy.status is DeployStatus.LIVE:
        break
back = rollback_deploy.sync("srv-1", client=client, body=RollbackDeployBody(deploy_id=begun.id))
assert isinstance(back, Deploy), back
cancel_deploy.sync("srv-1", back.id, client=client)
logs = list_logs.sync(client=client, owner_id="tea-1", resource=["srv-1"], type_=["build"])
assert logs.logs[0].message, logs
