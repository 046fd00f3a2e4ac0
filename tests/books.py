"""Small EPUBs for tests, whole by default and broken where a test asks for it."""

import io
import zipfile
from typing import Any

CONTAINER = """<?xml version="1.0"?>
<container version="1.0" xmlns="urn:oasis:names:tc:opendocument:xmlns:container"><rootfiles>
<rootfile full-path="OEBPS/content.opf" media-type="application/oebps-package+xml"/>
</rootfiles></container>"""
OPF = """<?xml version="1.0"?>
<package xmlns="http://www.idpf.org/2007/opf" version="3.0"><metadata/>
<manifest>
<item id="nav" href="nav/toc.xhtml" media-type="application/xhtml+xml" properties="nav"/>
<item id="ncx" href="toc.ncx" media-type="application/x-dtbncx+xml"/>
<item id="c1" href="text/one.xhtml" media-type="application/xhtml+xml"/>
<item id="c2" href="text/two%20parts.xhtml" media-type="application/xhtml+xml"/>
<item id="n" href="text/notes.xhtml" media-type="application/xhtml+xml"/>
<item id="film" href="https://example.com/film.mp4" media-type="video/mp4"/>
</manifest>
<spine toc="ncx"><itemref idref="c1"/><itemref idref="n" linear="no"/><itemref idref="c2"/></spine>
</package>"""
NAV = """<?xml version="1.0"?><!DOCTYPE html>
<html xmlns="http://www.w3.org/1999/xhtml" xmlns:epub="http://www.idpf.org/2007/ops"><body>
<nav epub:type="landmarks"><ol><li><a href="../text/one.xhtml">Start</a></li></ol></nav>
<nav epub:type="toc"><h1>Contents</h1><ol>
<li><a href="../text/one.xhtml">One <em>bright</em>
 day</a></li>
<li><span>Part</span><ol><li><a href="../text/two%20parts.xhtml">Two</a></li>
<li><a href="../text/two%20parts.xhtml#late%20one">Two, later</a></li></ol></li>
</ol></nav></body></html>"""
NCX = """<?xml version="1.0"?>
<!DOCTYPE ncx PUBLIC "-//NISO//DTD ncx 2005-1//EN" "http://www.daisy.org/z3986/2005/ncx-2005-1.dtd">
<ncx xmlns="http://www.daisy.org/z3986/2005/ncx/"><navMap>
<navPoint id="a" playOrder="1"><navLabel><text>Uno</text></navLabel><content src="text/one.xhtml"/>
<navPoint id="b" playOrder="2"><navLabel><text>Due</text></navLabel>
<content src="text/two%20parts.xhtml#late%20one"/></navPoint></navPoint></navMap></ncx>"""
DOCTYPE = """<!DOCTYPE html PUBLIC "-//W3C//DTD XHTML 1.1//EN" "http://127.0.0.1:1/xhtml11.dtd">"""


def page(text: str, doctype: str = "") -> str:
    return (
        f'<?xml version="1.0"?>{doctype}<html xmlns="http://www.w3.org/1999/xhtml"><head><title>ignored '
        f"</title><style>p {{ }}</style></head><body>\n\n {text} </body></html>"
    )


# 30 characters, then 10 + 60: the entries stand at 0 %, 30 % and 40 %.
PARTS: dict[str, Any] = {
    "mimetype": "application/epub+zip",
    "META-INF/container.xml": CONTAINER,
    "OEBPS/content.opf": OPF,
    "OEBPS/nav/toc.xhtml": NAV,
    "OEBPS/toc.ncx": NCX,
    "OEBPS/text/one.xhtml": page(f"<p>{'a' * 20}&nbsp;</p>\n <p>{'b ' * 10}</p>", DOCTYPE),
    "OEBPS/text/notes.xhtml": page("<p>" + "n" * 500 + "</p>"),
    "OEBPS/text/two parts.xhtml": page(f"<p>{'c' * 10}</p><p id='late one'>{'d' * 60}</p>"),
}


def book(**changed: Any) -> bytes:
    """A book's bytes; `changed` parts replace or add (by path, `None` leaves one out)."""
    return archive({**PARTS, **changed})


def archive(parts: dict[str, Any]) -> bytes:
    kept = io.BytesIO()
    with zipfile.ZipFile(kept, "w", zipfile.ZIP_DEFLATED) as zipped:
        for path, content in parts.items():
            if content is not None:
                zipped.writestr(path, content)
    return kept.getvalue()
