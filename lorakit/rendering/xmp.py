"""What made a picture or a film, in the words of the IPTC, as an XMP packet (ISO 16684-1).

The IPTC's guideline for generative AI: Iptc4xmpExt:DigitalSourceType holds the URI of a NewsCode
(iptc.org/std/photometadata/documentation/userguide, Video Metadata Hub).
"""

from __future__ import annotations

from xml.sax.saxutils import escape, quoteattr

_CODES = "http://cv.iptc.org/newscodes/digitalsourcetype/"
# the keyword of a PNG's text chunk that holds a packet (XMP specification, part 3)
PNG_KEYWORD = "XML:com.adobe.xmp"
_NAMES = (
    'xmlns:dc="http://purl.org/dc/elements/1.1/" '
    'xmlns:Iptc4xmpExt="http://iptc.org/std/Iptc4xmpExt/2008-02-29/"'
)


def source_uri(source_type: str) -> str:
    """The URI of one of the IPTC's digital source types."""
    return f"{_CODES}{source_type}"


def packet(source_type: str, title: str = "") -> str:
    """The packet of a digital source type, and of a title where there is one."""
    told = (
        f" Iptc4xmpExt:DigitalSourceType={quoteattr(source_uri(source_type))}"
        if source_type
        else ""
    )
    named = (
        f'<dc:title><rdf:Alt><rdf:li xml:lang="x-default">{escape(title)}</rdf:li></rdf:Alt></dc:title>'
        if title
        else ""
    )
    return (
        '<?xpacket begin="\ufeff" id="W5M0MpCehiHzreSzNTczkc9d"?>\n'
        '<x:xmpmeta xmlns:x="adobe:ns:meta/">'
        '<rdf:RDF xmlns:rdf="http://www.w3.org/1999/02/22-rdf-syntax-ns#">'
        f'<rdf:Description rdf:about="" {_NAMES}{told}>{named}</rdf:Description>'
        "</rdf:RDF></x:xmpmeta>\n"
        '<?xpacket end="r"?>'
    )
