"""Characters that no reader sees: taken out of articles and questions, since a model would read what people cannot."""

import re

# Controls; zero-width and other formatting characters; overrides and isolates, which turn the direction of text
# around; the tag characters and variation selectors that can spell a hidden text. What joins letters and emoji
# (U+200D), and the marks of right-to-left text (U+200E, U+200F), stay.
_INVISIBLE = re.compile(
    "[\x01-\x08\x0e-\x1f\x7f-\x84\x86-\x9f\u00ad\u034f\u180e\u200b\u200c\u202a-\u202e\u2060-\u206f\ufeff\ufff9-\ufffb"
    "\U000e0000-\U000e0fff]"
)


def visible(text: str) -> str:
    """The text without the characters that no reader sees; line ends and spaces stay."""
    return _INVISIBLE.sub("", text)
