"""A real browser plays what was sent in, by the address alone, and jumps within it."""

from typing import Any

from tests.apps.sidechain.test_audio_hostile import wav_of
from tests.apps.sidechain.uploading import kept, path_of
from tests.apps.sounds import BY_NAME, encoded, sine
from tests.browser import browsing
from tests.world import World

PLAY = """
async ([url, at]) => {
    const audio = new Audio(url), loaded = new Promise((yes, no) => {
        audio.onloadedmetadata = yes;
        audio.onerror = () => no(new Error(audio.error.message));
    });
    await loaded;
    const jumped = new Promise((yes) => { audio.onseeked = yes; });
    audio.currentTime = at;
    await jumped;
    return [audio.duration, audio.currentTime];
}
"""


async def test_a_browser_plays_it_and_jumps(live: World) -> None:
    ada = await live.person("ada")
    sounds: dict[str, tuple[bytes, float]] = {
        "long": (wav_of(44_100, 2, 16, bytes(44_100 * 4 * 60)), 55.0),
        **{name: (encoded(BY_NAME[name], sine(0.5), 1.0), 0.7) for name in ("flac", "mp3", "opus", "m4a")},
    }
    async with browsing() as browser:
        page = await browser.new_page()
        for name, (content, at) in sounds.items():
            audio = await kept(ada, content)
            url = f"http://127.0.0.1:{live.port}{path_of(live, audio['url'])}"
            told: Any = await page.evaluate(PLAY, [url, at])
            assert abs(told[0] - audio["duration_seconds"]) < 0.05, name
            assert abs(told[1] - at) < 0.05, name
