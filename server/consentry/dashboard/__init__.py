"""Pages for the person: server-rendered, no build step, nothing from outside, useful without scripts.

    request --door--> session, form token, form in memory --pool--> one page function --> page

A page is a plain function from a `Visit` to a response; `door.py` alone knows how requests come in.
"""
