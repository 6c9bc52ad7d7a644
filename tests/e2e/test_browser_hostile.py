"""Text that wants to be code stays text, wherever it stands, on every page."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import date
from hashlib import sha256
from pathlib import Path
from urllib.parse import quote

import numpy as np
import pytest

from riparian.catalog.documents import NewPassage
from riparian.catalog.topics import NewTopic
from riparian.config import Settings
from riparian.encoders.pool import register
from riparian.types import Extracted, Membership, PassageId, TopicId, TopicTerm
from tests.conftest import ENCODER
from tests.e2e.conftest import Watched
from tests.e2e.serving import served
from web.wiring import Services, build

PAYLOADS = [
    wrapped.replace("CALL", call)
    for call in ("alert(1)", "window.hacked=1", "alert`1`", "top['al'+'ert'](1)", "eval('alert(1)')")
    for wrapped in (
        "<script>CALL</script>",
        "</script><script>CALL</script>",
        "<img src=x onerror=CALL>",
        '"><img src=x onerror=CALL>',
        "'><svg onload=CALL>",
        "<svg><script>CALL</script></svg>",
        '" autofocus onfocus=CALL x="',
        "' onmouseover='CALL",
        "javascript:CALL",
        "<a href=javascript:CALL id=x>x</a>",
        "<iframe srcdoc='<script>CALL</script>'></iframe>",
        "<body onload=CALL>",
        "<details open ontoggle=CALL>",
        "<style>@import 'javascript:CALL'</style>",
        "<input autofocus onfocus=CALL>",
        "{{ CALL }}",
        "{% print(CALL) %}",
        "${CALL}",
        "<math><mtext><script>CALL</script>",
        "--><script>CALL</script><!--",
        "]]><script>CALL</script>",
        "</title><script>CALL</script>",
        "</textarea><script>CALL</script>",
        "<template><script>CALL</script></template>",
        "<marquee onstart=CALL>",
        "<object data=javascript:CALL>",
        "<embed src=javascript:CALL>",
        "<base href=javascript:CALL//>",
        "<form action=javascript:CALL><button>x</button></form>",
        "<meta http-equiv=refresh content='0;javascript:CALL'>",
        "<link rel=stylesheet href=javascript:CALL>",
        "\u2028<script>CALL</script>",
        "<scr\u0000ipt>CALL</scr\u0000ipt>",
        "&lt;script&gt;CALL&lt;/script&gt;",
        "&#60;script&#62;CALL&#60;/script&#62;",
        "<ScRiPt >CALL</sCrIpT>",
        "<img/src=x/onerror=CALL>",
        "<video><source onerror=CALL>",
        "<xss onpointerenter=CALL>x</xss>",
        "<p lang='x' onclick=CALL>",
    )
]


def hostile(services: Services, payloads: list[str]) -> None:
    """An archive in which every field that a page shows is a payload."""
    encoder = services.encoders.load(ENCODER)
    with services.database.write() as catalog:
        stored = register(catalog, encoder)
        collection = catalog.collections.create("<img src=x onerror=alert(1)>", stored.id, {}).id
        catalog.collections.add_root(collection, "/tmp/<script>alert(1)<script>", {})
        passages: list[PassageId] = []
        for number, payload in enumerate(payloads):
            clean = payload.replace("\u0000", "")
            text = f"bank {clean} river. A second sentence {clean}"
            document = catalog.documents.put(
                collection, None, f"{number}/{clean}".replace("\n", " "),
                Extracted(
                    "", text, title=clean, date=date(2001, 1, 1), author=clean, language=clean[:10], type=clean[:20],
                    metadata={clean: clean},
                ),
                digest=sha256(text.encode()).hexdigest(), passages=[NewPassage(0, len(text), f"k{number}")],
            )  # fmt: skip
            passages += list(catalog.passages.places(document))
        rows = encoder.encode_passages([p.text for p in catalog.passages.many(passages).values()], "passage")
        catalog.vectors.put(collection, stored.id, np.array(sorted(passages)), rows)
        topics = [
            NewTopic(n, payloads[n], (TopicTerm(payloads[n], 0.5),), {"npmi": 0.1}, tuple(passages[:3]))
            for n in range(3)
        ]
        model, ids = catalog.topics.add_model(
            collection, stored.id, kind="x", folder="x", settings={}, scores={}, topics=topics
        )
        mixture = {p: [Membership(TopicId(ids[n % 3]), 1.0)] for n, p in enumerate(passages)}
        catalog.topics.put_passages(mixture)
        catalog.topics.activate(model)
        catalog.files.put(
            collection, root_id=None, path=payloads[0], source=payloads[2], size=1, mtime_ns=1, digest="",
            state="failed", reason=payloads[3],
        )  # fmt: skip
        catalog.collections.touch(collection)
    services.lexical.catch_up(collection)


@pytest.fixture(scope="module")
def address(tmp_path_factory: pytest.TempPathFactory) -> Iterator[str]:
    folder: Path = tmp_path_factory.mktemp("hostile")
    services = build(Settings(data_dir=folder, encoder=ENCODER, log_level="ERROR"))
    hostile(services, PAYLOADS)
    with served(services) as found:
        yield found
    services.database.engine.dispose()


def test_no_payload_in_any_field_or_address_is_ever_run(watched: Watched, address: str) -> None:
    assert len(PAYLOADS) == 200
    page = watched.page()
    inside = f"/c/{quote('<img src=x onerror=alert(1)>')}"
    pages = [
        "/",
        "/collections",
        inside,
        f"{inside}/documents",
        f"{inside}/topics",
        f"{inside}/failures",
        "/t/1",
        "/similar",
    ]
    pages += [f"/d/{number}?q=bank" for number in range(1, 200, 14)]
    pages += [f"{inside}/search?q=bank&mode=lexical&offset={offset}" for offset in range(0, 200, 10)]
    pages += [f"{inside}/search?q={quote(p)}&mode=lexical&filter=author:{quote(p)}" for p in PAYLOADS[:20]]
    pages += [f"/nowhere/{quote(p, safe='')}" for p in PAYLOADS[20:40]]
    hits = 0
    for path in pages:
        page.goto(address + path, wait_until="domcontentloaded")
        found = page.evaluate(
            """() => [window.hacked ?? 0, document.querySelectorAll(
                 'img, iframe, object, embed, base, style, script:not([nonce]), [onerror], [onload], [onfocus]'
               ).length]"""
        )
        assert found == [0, 0], path
        hits += page.locator(".hit").count() if "offset" in path else 0
    assert hits == 200  # every payload was on a page
    watched.complaints = [c for c in watched.complaints if "Failed to load resource" not in c]  # pages of errors
