"""A server of flagd.sync.v1 by gRPC's own library for Python, with the messages as flagd's own provider has them.

It serves on a free port of the loopback, and at the path in SERINUS_SOCKET if there is one; with TLS if there are
SERINUS_CERTIFICATE and SERINUS_KEY. The first line on the standard output is its port, each later one says who called,
as JSON. Each line on the standard input is a command, as JSON: {"document": "...", "context": {...} or null} for all who
call now and later, {"end": "UNAVAILABLE"} for all who call now, {"refuse": "UNAUTHENTICATED" or null} for all who call
later. It ends with the standard input.
"""

import json
import os
import queue
import sys
import threading
from concurrent import futures

import grpc
from google.protobuf.json_format import ParseDict
from google.protobuf.struct_pb2 import Struct
from openfeature.schemas.protobuf.flagd.sync.v1 import sync_pb2, sync_pb2_grpc


class Service(sync_pb2_grpc.FlagSyncServiceServicer):
    def __init__(self):
        self.lock = threading.Lock()
        self.now = None
        self.refuses = None
        self.callers = []

    def SyncFlags(self, request, context):
        metadata = dict(context.invocation_metadata())
        say({"provider_id": request.provider_id, "selector": request.selector,
             "flagd-selector": metadata.get("flagd-selector")})
        waiting = queue.Queue()
        with self.lock:
            if self.refuses:
                context.abort(grpc.StatusCode[self.refuses], "refused")
            if self.now is not None:
                waiting.put(self.now)
            self.callers.append(waiting)
        context.add_callback(lambda: waiting.put(None))
        while (said := waiting.get()) is not None:
            if isinstance(said, str):
                context.abort(grpc.StatusCode[said], "ended")
            yield said

    def obey(self, command):
        with self.lock:
            if "document" in command:
                self.now = sync_pb2.SyncFlagsResponse(flag_configuration=command["document"])
                if command.get("context") is not None:
                    self.now.sync_context.CopyFrom(ParseDict(command["context"], Struct()))
                for caller in self.callers:
                    caller.put(self.now)
            if "end" in command:
                for caller in self.callers:
                    caller.put(command["end"])
                self.callers.clear()
            if "refuse" in command:
                self.refuses = command["refuse"]


def say(what):
    print(json.dumps(what), flush=True)


service = Service()
server = grpc.server(futures.ThreadPoolExecutor(max_workers=16))
sync_pb2_grpc.add_FlagSyncServiceServicer_to_server(service, server)
if "SERINUS_CERTIFICATE" in os.environ:
    with open(os.environ["SERINUS_KEY"], "rb") as key, open(os.environ["SERINUS_CERTIFICATE"], "rb") as certificate:
        credentials = grpc.ssl_server_credentials([(key.read(), certificate.read())])
    port = server.add_secure_port("127.0.0.1:0", credentials)
else:
    port = server.add_insecure_port("127.0.0.1:0")
if "SERINUS_SOCKET" in os.environ:
    server.add_insecure_port("unix:" + os.environ["SERINUS_SOCKET"])
server.start()
say(port)
for line in sys.stdin:
    service.obey(json.loads(line))
server.stop(None)
