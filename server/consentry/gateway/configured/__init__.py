"""Any JSON API, described by a file instead of code (docs/gateway.md, "An API of your own").

description  the file, read strictly
places       where in a JSON document something is
request      a request, read by its description
graph        a request that is a graph of nodes
dialect      the description as a dialect
refusals     refusals in the API's own shape
examples/    descriptions of two widespread servers
"""
