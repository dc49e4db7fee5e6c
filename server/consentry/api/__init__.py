"""HTTP for programs: one set of routes for TCP, the unix socket and the command line in-process.

app            `create_app`: puts the rest together
hardening      what a hostile page or program may not even try; pure ASGI, around everything
rim            one line of log, one measurement and one constant answer to the unexpected
problems       every error as RFC 9457 problem+json
authentication who is calling, before a byte of the body is read
bodies         JSON and forms, read into memory and never onto the disk
work           bounded thread pools
once           Idempotency-Key
routes_*       the routes by subject, with their schemas
openapi        the document of all routes
reference      writes docs/openapi.json and the table in docs/errors.md
"""
