"""The dialect of OpenAI, at ``/openai/v1``.

dialect        which routes there are, and what each is
images         edits, generations, variations
conversations  responses and chat completions
history        the turns that those only refer to
own_names      where names are the caller's own
batches        many of those in a file
passing        what is handed on unread
answers        pictures in what comes back
refusals       refusals as this API's users know them
"""
