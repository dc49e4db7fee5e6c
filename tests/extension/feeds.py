"""Pages that show pictures the way feeds do: the shapes of known sites, and every element that can carry one."""

from __future__ import annotations

STYLE = """<style>body{margin:8px;font:14px sans-serif}[data-name]{display:inline-block;width:180px;height:180px;margin:4px;overflow:hidden;vertical-align:top;background-size:cover}
[data-name] img,[data-name] video,[data-name] svg,[data-name] input{width:180px;height:180px;object-fit:cover;display:block}</style>"""

# name -> markup; `{}` is the address of the picture.
CARRIERS = {
    "img": '<img src="{}">',
    "lazy": '<img loading="lazy" src="{}">',
    "srcset": '<img srcset="{} 1x, {}?2 2x">',
    "picture": '<picture><source srcset="{}"><img src="/none.jpg"></picture>',
    "background": "<div style=\"width:180px;height:180px;background-image:url('{}')\"></div>",
    "class": '<div class="by-class" style="width:180px;height:180px"></div><style>.by-class{{background:url({}) center/cover}}</style>',
    "pseudo": '<div class="by-pseudo"></div><style>.by-pseudo::before{{content:"";display:block;width:180px;height:180px;background:url({}) center/cover}}</style>',
    "poster": '<video poster="{}"></video>',
    "svg": '<svg><image href="{}" width="180" height="180"/></svg>',
    "button": '<input type="image" src="{}">',
    "open": '<div class="open" data-src="{}"></div>',
    "closed": '<div class="closed" data-src="{}"></div>',
    "late": '<late-card data-src="{}"></late-card>',
    "blob": '<img data-blob="{}">',
    "data": '<img data-data="{}">',
    "swapped": '<img data-later="{}" src="/none.jpg">',
    "inserted": '<span data-inserted="{}"></span>',
    # The shapes of known sites.
    "x": '<article data-testid="tweet"><div data-testid="tweetPhoto"><div style="width:180px;height:180px;background-image:url(\'{}\');background-size:cover"></div><img alt="Image" draggable="true" style="position:absolute;opacity:0;z-index:-1" src="{}"></div></article>',
    "instagram": '<article><div><div style="position:relative"><img crossorigin="anonymous" srcset="{} 640w" sizes="180px"><div style="position:absolute;inset:0"></div></div></div></article>',
    "reddit": '<shreddit-post><div slot="post-media-container"><shreddit-aspect-ratio><img loading="lazy" class="preview-img" src="{}"></shreddit-aspect-ratio></div></shreddit-post>',
    "tiktok": '<div data-e2e="recommend-list-item-container"><div style="background-image:url({});width:180px;height:180px"></div></div>',
    "youtube": '<ytd-thumbnail><a><yt-image><img class="yt-core-image" src="{}"></yt-image></a></ytd-thumbnail>',
    "mastodon": '<article class="status"><a class="media-gallery__item-thumbnail" href="#"><img src="{}" style="object-position:50% 50%"></a></article>',
    "avatar": '<a><img style="width:48px;height:48px;border-radius:50%" src="{}"></a>',
}

SCRIPT = """<script>
  const all = (selector, act) => document.querySelectorAll(selector).forEach(act);
  all('.open', (e) => { e.attachShadow({mode: 'open'}).innerHTML = `<img width="180" height="180" src="${e.dataset.src}">`; });
  all('.closed', (e) => { e.attachShadow({mode: 'closed'}).innerHTML = `<img width="180" height="180" src="${e.dataset.src}">`; });
  setTimeout(() => customElements.define('late-card', class extends HTMLElement { connectedCallback() { this.attachShadow({mode: 'closed'}).innerHTML = `<img width="180" height="180" src="${this.dataset.src}">`; } }), 300);
  all('[data-blob]', async (e) => { e.src = URL.createObjectURL(await (await fetch(e.dataset.blob)).blob()); });
  all('[data-data]', async (e) => { const r = new FileReader(); r.onload = () => { e.src = r.result; }; r.readAsDataURL(await (await fetch(e.dataset.data)).blob()); });
  setTimeout(() => all('[data-later]', (e) => { e.src = e.dataset.later; }), 500);
  setTimeout(() => all('[data-inserted]', (e) => { const i = new Image(); i.src = e.dataset.inserted; e.after(i); }), 500);
</script>"""


def every_carrier(address: str, name: str) -> str:
    """A page on which every carrier shows the picture at `address`, each by an address of its own."""
    cells = "".join(
        f'<div data-name="{name}-{each}">'
        + markup.replace("{}", f"{address}?{each}").replace("{{", "{").replace("}}", "}")
        + "</div>"
        for each, markup in CARRIERS.items()
    )
    return f'<!doctype html><meta charset="utf-8"><title>feed</title>{STYLE}<body>{cells}'


# A list that grows as she scrolls, and forgets what is far above: as the feeds of the large sites do.
ENDLESS = """<!doctype html><meta charset="utf-8"><title>feed</title>
<style>body{margin:0 auto;width:620px;font:14px sans-serif}article{padding:8px}article img{width:600px;height:380px;object-fit:contain;background:#eee;display:block}</style>
<main></main><script>
  const pictures = PICTURES; let next = 0;
  window.longTasks = [];
  new PerformanceObserver((list) => longTasks.push(...list.getEntries().map((e) => Math.round(e.duration)))).observe({type: 'longtask', buffered: true});
  const more = () => {
    for (let i = 0; i < 6 && next < pictures.length; i++, next++) {
      const post = document.createElement('article');
      post.dataset.name = pictures[next];
      post.innerHTML = `<p>Somebody wrote something, ${next}</p><img loading="lazy" src="https://pbs.twimg.com/${pictures[next]}">`;
      document.querySelector('main').append(post);
    }
  };
  addEventListener('scroll', () => { if (scrollY + innerHeight > document.documentElement.scrollHeight - 1200) more(); }, {passive: true});
  more(); more();
</script>"""
