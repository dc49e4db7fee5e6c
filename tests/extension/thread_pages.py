"""Pages with posts and replies, built like those of real sites (self-written: their shapes, none of their words or code)."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from html import escape


@dataclass(frozen=True, slots=True)
class Post:
    """What stands in a post. `picture` is an address."""

    account: str
    text: str
    id: str = "1"
    picture: str | None = None
    replies: Sequence[Post] = field(default_factory=tuple)


def _page(body: str, head: str = "") -> str:
    return f"<!doctype html><html lang=en><head><meta charset=utf-8><title>A page</title>{head}</head><body>{body}</body></html>"


def _picture(address: str | None, attributes: str = "") -> str:
    return f'<img {attributes} src="{address}" width="480" height="360">' if address else ""


def _flat(posts: Sequence[Post]) -> list[Post]:
    return [each for post in posts for each in (post, *_flat(post.replies))]


# ------------------------------------------------------------------------------- X


def x_article(post: Post, *, quoted: Post | None = None, answers: str | None = None) -> str:
    """One post as X shows it."""
    linked = escape(post.text)
    for word in {word for word in post.text.split() if word.startswith("@")}:
        name = word.strip("@.,!")
        linked = linked.replace(
            escape(word),
            f'<span class="r-1"><a dir="ltr" role="link" href="/{name}">{escape(word)}</a></span>',
        )
    photo = (
        f'<div><a href="/{post.account}/status/{post.id}/photo/1" role="link"><div data-testid="tweetPhoto">'
        f"{_picture(post.picture, 'alt=Image draggable=true')}</div></a></div>"
        if post.picture
        else ""
    )
    quote = (
        f"""<div aria-labelledby="id__q"><div dir="ltr"><span>Quote</span></div><div role="link" tabindex="0">
          <div data-testid="User-Name"><div><span>Somebody</span></div><div><span>@{quoted.account}</span></div></div>
          <div data-testid="tweetText" dir="auto"><span>{escape(quoted.text)}</span></div>
          <div data-testid="tweetPhoto">{_picture(quoted.picture)}</div></div></div>"""
        if quoted
        else ""
    )
    replying = (
        f'<div dir="ltr">Replying to <div><a dir="ltr" role="link" href="/{answers}"><span>@{answers}</span></a></div></div>'
        if answers
        else ""
    )
    return f"""<div data-testid="cellInnerDiv"><div><article data-testid="tweet" role="article" tabindex="0"><div>
      <div data-testid="Tweet-User-Avatar"><a href="/{post.account}" role="link"><img src="/avatar-{post.account}.png" width=40 height=40></a></div>
      <div data-testid="User-Name"><div><a href="/{post.account}" role="link"><div dir="ltr"><span>Somebody</span></div></a></div>
        <div><a href="/{post.account}" role="link" tabindex="-1"><div dir="ltr"><span>@{post.account}</span></div></a>
        <a href="/{post.account}/status/{post.id}" dir="ltr" role="link"><time datetime="2026-11-20T10:00:00.000Z">2h</time></a></div></div>
      {replying}<div data-testid="tweetText" dir="auto"><span>{linked}</span></div>{photo}{quote}
      <div role="group"><button data-testid="reply"><span>3</span></button></div></div></article></div></div>"""


def x(post: Post) -> str:
    """A post and its replies."""
    cells = "".join(x_article(each) for each in (post, *_flat(post.replies)))
    return _page(
        f'<div id="react-root"><main role="main"><div data-testid="primaryColumn"><section role="region"><div aria-label="Timeline: Conversation">{cells}</div></section></div></main></div>'
    )


def x_timeline(cells: str) -> str:
    """Posts of many people."""
    return _page(
        f'<div id="react-root"><main role="main"><div data-testid="primaryColumn"><div aria-label="Timeline">{cells}</div></div></main></div>'
    )


# ------------------------------------------------------------------ Meta's other sites


def instagram(post: Post) -> str:
    """A post with its comments."""
    comments = "".join(
        f"""<ul class="_a9ym"><div role="button"><li class="_a9zj"><div><div><a href="/{each.account}/" role="link"><img src="/avatar-{each.account}.png" alt="{each.account}'s profile picture" width=32 height=32></a></div>
        <div><h3><div><span><a href="/{each.account}/" role="link">{each.account}</a></span></div></h3>
        <div><span dir="auto">{escape(each.text)}</span></div>
        <div><a href="/p/Cx1/c/{each.id}/" role="link"><time datetime="2026-11-20T10:00:00.000Z">2h</time></a></div></div></div></li></div></ul>"""
        for each in _flat(post.replies)
    )
    return _page(
        f"""<main role="main"><article role="presentation"><header><div><a href="/{post.account}/" role="link">{post.account}</a></div></header>
        <div role="button">{_picture(post.picture, f'alt="Photo by {post.account}" srcset="{post.picture} 640w" crossorigin=anonymous')}</div>
        <div><ul><li><div><h2><a href="/{post.account}/" role="link">{post.account}</a></h2><h1 dir="auto">{escape(post.text)}</h1></div></li>{comments}</ul>
        <a href="/p/Cx1/" role="link"><time datetime="2026-11-20T09:00:00.000Z">3h</time></a></div></article></main>"""
    )


def facebook(post: Post) -> str:
    """A feed with one post and its comments."""
    comments = "".join(
        f"""<div role="article" aria-label="Comment by {each.account} 2 hours ago"><div><a role="link" href="/{each.account}?comment_id={each.id}"><img width=32 height=32 src="/avatar-{each.account}.png"></a></div>
        <div><span><a role="link" href="https://www.facebook.com/{each.account}?comment_id={each.id}"><span dir="auto">Some Body</span></a></span>
        <div><span dir="auto"><div><div dir="auto">{escape(each.text)}</div></div></span></div>
        <ul><li><a role="link" href="https://www.facebook.com/{post.account}/posts/pfbid1?comment_id={each.id}">2h</a></li></ul></div></div>"""
        for each in _flat(post.replies)
    )
    return _page(
        f"""<div role="main"><div role="feed"><div role="article" aria-posinset="1"><div>
        <div data-ad-rendering-role="profile_name"><h4><a role="link" href="https://www.facebook.com/{post.account}?__cft__=1">Some Body</a></h4></div>
        <span><a role="link" href="https://www.facebook.com/{post.account}/posts/pfbid1">3h</a></span>
        <div data-ad-rendering-role="story_message"><div dir="auto">{escape(post.text)}</div></div>
        <a role="link" href="https://www.facebook.com/photo/?fbid=1&set=a.2">{_picture(post.picture, "data-imgperflogname=feedPostPhoto")}</a>
        <div>{comments}</div></div></div></div></div>"""
    )


def threads(post: Post) -> str:
    """A post and its replies on Threads."""
    cells = "".join(
        f"""<div data-pressable-container="true"><div><a href="/@{each.account}" role="link"><img width=36 height=36 src="/avatar-{each.account}.png"></a>
        <a href="/@{each.account}" role="link"><span dir="auto">{each.account}</span></a><a href="/@{each.account}/post/{each.id}" role="link"><time datetime="2026-11-20T10:00:00.000Z">2h</time></a>
        <div><span dir="auto"><span>{escape(each.text)}</span></span></div>{f"<picture>{_picture(each.picture)}</picture>" if each.picture else ""}</div></div>"""
        for each in (post, *_flat(post.replies))
    )
    return _page(f'<div id="barcelona-page-layout">{cells}</div>')


# ------------------------------------------------------------------------- others


def reddit(post: Post) -> str:
    """A post and its tree of comments."""

    def comment(each: Post, parent: str, depth: int) -> str:
        below = "".join(comment(reply, f"t1_{each.id}", depth + 1) for reply in each.replies)
        return f"""<shreddit-comment author="{each.account}" thingid="t1_{each.id}" parentid="{parent}" depth="{depth}" permalink="/r/pics/comments/abc/comment/{each.id}/">
        <div slot="commentMeta"><a href="/user/{each.account}/">{each.account}</a><faceplate-timeago ts="2026-11-20T10:00:00.000Z"><time datetime="2026-11-20T10:00:00.000Z">2h</time></faceplate-timeago></div>
        <div slot="comment"><div><p>{escape(each.text)}</p></div></div>{below}</shreddit-comment>"""

    comments = "".join(comment(reply, "t3_abc", 0) for reply in post.replies)
    return _page(
        f"""<main><shreddit-post id="t3_abc" author="{post.account}" permalink="/r/pics/comments/abc/a_title/" post-title="{escape(post.text)}" post-type="image" created-timestamp="2026-11-20T09:00:00.000Z">
        <h1 slot="title">{escape(post.text)}</h1><div slot="post-media-container"><div>{_picture(post.picture, "id=post-image")}</div></div></shreddit-post>
        <shreddit-comment-tree>{comments}</shreddit-comment-tree></main>"""
    )


def tiktok(post: Post) -> str:
    """A video and its comments."""
    comments = "".join(
        f"""<div class="css-1-DivCommentItemWrapper"><a href="/@{each.account}"><img width=40 height=40 src="/avatar-{each.account}.png"></a>
        <div class="css-2-DivCommentContentWrapper"><div data-e2e="comment-username-1"><a href="/@{each.account}">Some Body</a></div><span data-e2e="comment-level-1">{escape(each.text)}</span>
        <div><span data-e2e="comment-time-1">2h ago</span></div></div></div>"""
        for each in _flat(post.replies)
    )
    return _page(
        f"""<div id="main-content-video_detail"><div data-e2e="browse-video"><div class="css-3-BasePlayerContainer"><video poster="{post.picture}"></video></div></div>
        <a data-e2e="browse-user-avatar" href="/@{post.account}"></a><span data-e2e="browse-username">{post.account}</span>
        <div data-e2e="browse-video-desc">{escape(post.text)}</div><div class="css-4-DivCommentListContainer">{comments}</div></div>"""
    )


def youtube(post: Post) -> str:
    """A video and its comments. The picture follows from the address of the page."""
    comments = "".join(
        f"""<ytd-comment-thread-renderer><ytd-comment-view-model id="comment"><a id="author-thumbnail-button" href="/@{each.account}"><img width=40 height=40 src="/avatar-{each.account}.png"></a>
        <a id="author-text" href="/@{each.account}"><span>@{each.account}</span></a><span id="published-time-text"><a href="/watch?v=abc&lc={each.id}">2 hours ago</a></span>
        <yt-attributed-string id="content-text"><span>{escape(each.text)}</span></yt-attributed-string></ytd-comment-view-model></ytd-comment-thread-renderer>"""
        for each in _flat(post.replies)
    )
    return _page(
        f"""<ytd-app><ytd-watch-flexy><ytd-watch-metadata><ytd-channel-name><a href="/@{post.account}">Some Body</a></ytd-channel-name></ytd-watch-metadata>
        <ytd-comments>{comments}</ytd-comments></ytd-watch-flexy></ytd-app>"""
    )


def mastodon(post: Post) -> str:
    """A thread."""

    def words(each: Post) -> str:
        photo = (
            f'<div class="media-gallery"><div class="media-gallery__item"><a>{_picture(each.picture)}</a></div></div>'
            if each.picture
            else ""
        )
        return f"""<div class="status__content"><div class="status__content__text" lang="en"><p>{escape(each.text)}</p></div></div>{photo}"""

    def name(each: Post) -> str:
        return f'<span class="display-name"><bdi><strong>Some Body</strong></bdi> <span class="display-name__account">@{each.account}</span></span>'

    replies = "".join(
        f"""<div tabindex="-1"><div class="status__wrapper" data-id="{each.id}"><div class="status status-public" data-id="{each.id}"><div class="status__info">
        <a href="/@{each.account}/{each.id}" class="status__relative-time"><time datetime="2026-11-20T10:00:00.000Z">2h</time></a><a class="status__display-name" href="/@{each.account}">{name(each)}</a></div>{words(each)}</div></div></div>"""
        for each in _flat(post.replies)
    )
    return _page(
        f"""<div id="mastodon"><div class="scrollable item-list"><div class="detailed-status__wrapper"><div class="detailed-status"><a class="detailed-status__display-name" href="/@{post.account}">{name(post)}</a>{words(post)}
        <div class="detailed-status__meta"><a class="detailed-status__datetime" href="/@{post.account}/{post.id}"><time datetime="2026-11-20T09:00:00.000Z">3h</time></a></div></div></div>{replies}</div></div>"""
    )


def bluesky(post: Post) -> str:
    """A thread."""
    cells = "".join(
        f"""<div data-testid="postThreadItem-by-{each.account}" role="link"><div><a href="/profile/{each.account}"><img width=42 height=42 src="/img/avatar/{each.account}"></a>
        <a href="/profile/{each.account}" role="link"><div dir="auto">Some Body</div></a><a href="/profile/{each.account}/post/{each.id}" data-tooltip="20 November 2026 at 10:00" role="link">2h</a>
        <div data-testid="postText" dir="auto">{escape(each.text)}</div>{_picture(each.picture)}</div></div>"""
        for each in (post, *_flat(post.replies))
    )
    return _page(f'<div id="root"><div data-testid="postThreadScreen">{cells}</div></div>')


def blog(post: Post) -> str:
    """A story and its comments on a site that no rule knows by name."""
    comments = "".join(
        f"""<li class="comment" id="comment-{each.id}"><div class="comment-author"><a href="/author/{each.account}">{each.account}</a></div>
        <a href="#comment-{each.id}"><time datetime="2026-11-20T10:00:00Z">2 hours ago</time></a><div class="comment-content"><p>{escape(each.text)}</p></div></li>"""
        for each in _flat(post.replies)
    )
    return _page(
        f"""<main><article class="h-entry"><h1>A story</h1><p>By <a rel="author" href="/author/{post.account}">{post.account}</a></p><p>{escape(post.text)}</p><figure>{_picture(post.picture)}</figure></article>
        <section><ol>{comments}</ol></section></main>"""
    )


SITES: dict[str, tuple[str, Callable[[Post], str]]] = {
    "x": ("//x.com/sara/status/1", x),
    "instagram": ("//www.instagram.com/p/Cx1/", instagram),
    "facebook": ("//www.facebook.com/sara", facebook),
    "threads": ("//www.threads.com/@sara/post/1", threads),
    "reddit": ("//www.reddit.com/r/pics/comments/abc/a_title/", reddit),
    "tiktok": ("//www.tiktok.com/@sara/video/1", tiktok),
    "youtube": ("//www.youtube.com/watch?v=abc", youtube),
    "mastodon": ("//mastodon.social/@sara/1", mastodon),
    "bluesky": ("//bsky.app/profile/sara/post/1", bluesky),
    "a blog": ("//blog.example/2026/a-story", blog),
}
"""Address of a page of `sara`'s post `1`, and how it is built."""
