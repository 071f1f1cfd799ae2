"""Words that are nearly a character's name: `buny` for `bunny`.

Only words one slip away count: a letter left out, doubled, changed, or two swapped. Ordinary English words
never do, so that a funny bunny may meet a hear... a bear.
"""

from __future__ import annotations

import re
from functools import cache
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Iterable

_SHORTEST = 4
_WORD = re.compile(r"[^\W\d_]{4,}")


class NearMisses:
    """Finds slips in the words of sentences; each distinct word is looked at once."""

    def __init__(self, names: Iterable[str]) -> None:
        self._names = {name.lower() for name in names if len(name) >= _SHORTEST and name.isalpha()}
        # a slip of one letter leaves two words with a common form once each may drop a letter
        self._forms: dict[str, str] = {}
        for name in sorted(self._names):
            for form in (name, *_without_one(name)):
                self._forms.setdefault(form, name)
        self._longest = max(map(len, self._names), default=0) + 1
        self._known: dict[str, str | None] = {}
        self._without: set[str] = set()  # what stands between blanks and holds no slip

    def find(self, sentence: str) -> Iterable[tuple[str, str, int]]:
        """Each slip in a sentence: the word, the name it may have meant, and where it stands."""
        if not self._names:
            return
        pieces = set(sentence.split()) - self._without
        if not pieces:
            return
        self._without.update(piece for piece in pieces if not self._has_slip(piece))
        if self._without.issuperset(pieces):
            return
        for match in _WORD.finditer(sentence):
            meant = self._known[match[0]]
            if meant is not None:
                yield match[0], meant, match.start()

    def _has_slip(self, piece: str) -> bool:
        words = _WORD.findall(piece)
        for word in words:
            if word not in self._known:
                self._known[word] = self._meant(word.lower())
        return any(map(self._known.__getitem__, words))

    def _meant(self, word: str) -> str | None:
        if len(word) > self._longest or word in self._names or word in ordinary():
            return None
        for form in (word, *_without_one(word)):
            name = self._forms.get(form)
            if name is not None and _is_slip(word, name):
                return name
        return None


def _without_one(word: str) -> Iterable[str]:
    return (word[:i] + word[i + 1 :] for i in range(len(word)))


def _is_slip(word: str, name: str) -> bool:
    if word.startswith(name) and word[len(name) :] == "s":  # a plural
        return False
    if len(word) == len(name):
        different = [i for i in range(len(word)) if word[i] != name[i]]
        if len(different) == 1:
            # names that share all but the first letter are other words more often than slips
            return different[0] > 0
        return (
            len(different) == 2
            and different[1] == different[0] + 1
            and word[different[0]] == name[different[1]]
            and word[different[1]] == name[different[0]]
        )
    longer, shorter = (word, name) if len(word) > len(name) else (name, word)
    if longer[1:] == shorter:  # nor is one that lacks it: the twins, and who wins
        return False
    return len(longer) == len(shorter) + 1 and shorter in _without_one(longer)


@cache
def ordinary() -> frozenset[str]:
    """Common English words of four letters and more, which are never a slip."""
    return frozenset(_ORDINARY.split())


_ORDINARY = """
able about above across after again against ages alike alive alone along also always among angle angry
animal another answer anything apple apples arms around arrive away baby back ball balls band bands bank
banks bare barn base bath beach beam bean beans beard bears beast beat beautiful because been beer bees
before began begin behind being bell belly below belt bench bend best better between beyond bike bird birds
bite black blind block blow blue board boards boat boats body bold bone bones book books boot boots born
both bottle bottom bowl boxes boys branch brave bread break breath bridge bright bring broken brother brown
brush build built burn bush busy cake cakes call calm came camp candle candy cane cape card care carry cart
case castle catch cave cell chain chair chance change chase cheap check cheek cheer chest chick child chill
choose circle city class clean clear cliff climb clock close cloth cloud clouds clown coast coat coats cold
color colour come comes cook cookie cool copper corn corner could count country course court cover crane
crawl cream create creek crowd crown crows crystal curious curl dance dances dancing dare dark dawn days
deal dear deck deep deer desert desk died dirt dish does dogs doll dolls donkey door doors dose down draw
dream dreams dress drink drive drop drum dust each early earn ears earth east easy eats edge eight either
empty enough enter even evening ever every eyes face fact fair fall falls false family fancy fang farm fast
fear feather feed feel feet fell fence field fight fill find finds fine finger finish fire first fish fishes
five flag flame flat floor flow flower flowers flown flute foam fold folk follow food foot ford forest fork
form fort forth found four fresh friend friends frog frogs from front frost frown fruit full funny game
games garden gate gates gave gear gentle giant gift girl girls give gives glad glass glow glue goal goat
goats goes gold golden gone good gown grab grass grave gray great green grew ground group grow grows guard
guess guest guide hair half hall hand hands hang happy hard hare hats have head heal hear heard heart heat
heavy held hello help here hero hide high hill hills hold holds hole holes home honey hood hope horn horns
horse host hosts hotel hour house houses huge hundred hungry hunt idea inside into iron island item jacket
join joke jump jumps just keep keeps kick kids kind kinds king kings kite kites kitten knee knew knife
knight know lady lake lamb lamp land lands large last late laugh laughs lawn lazy lead leaf lean leap learn
least leave leaves left legs lemon less lesson letter lick life lift light lights like likes limb lime line
lines lions list listen little live lives lock logs long look looks loose lord lose lost loud love loves
lower luck lucky made magic maid mail main make makes mane many maps march mark market mask master math maze
meal mean meat meet meets melt mice middle might mild mile milk mill mind mine mint minute mirror mist moat
mole monday money monkeys month mood moon moose more morning most moth mother mount mountain mouth move
moves much music must nail name names near neck need needs nest never next nice night nine noise none noon
north nose note nothing number ocean offer often open opens orange order other outside oven over pack page
paid paint pair palace pale palm pants paper park part parts party pass past path paths paws peace peach
pear peas pick picks piece pile pillow pine pink pipe place places plain plan plane planet plant plate play
plays please plow pole pond pool poor porch port post pour power pray present press pretty pride print prize
proud pull pump puppet purple push queen quest quick quiet quite race rain rains raise ranch range rare
reach read reads ready real rear rest rice rich ride rides ridge right ring rings rise rises river road
roads roar roars robe robots rock rocks role roll roof room rooms root roots rope rose roses rough round
rows ruby ruin rule runs sack safe said sail sails salt same sand save says scale scar scare school score
scout seal seas seat secret seed seem seems seen self sell send sent seven shade shadow shake shape share
shark sharp sheep shell shine shines ship ships shirt shoe shoes shone shop shore short should shout show
shows shut side sign silk silly silver sing sings sink sister sits size skin skip skull sled sleep sleeps
slide slow small smart smell smile smiles smoke snail snake snow snows soap sock socks soft soil some song
songs soon sort soul sound soup south space spare speak spell spend spin spoon spot spring stage stair
stairs stand stands stare stares stark stars start starts state stay stays steal steam steel stem step steps
stick still stir stone stones stool stop stops store storm story stove straw street string strong such sugar
suit summer sunday sunny sure surf sweet swim swims swing sword table tail take takes tale talk talks tall
tame tank tape task taste teach team tear tell tells tent tents than thank that their them then there these
they thick thin thing things think third this those though three threw throne through throw thumb tide tidy
tier ties tight tile till time times tiny tire tired toad toads today toes together told tomb tone tongue
took tool tooth torch toss touch toward tower town toys track trail train trap travel treat tree trees trick
trip true trunk trust truth tube tune turn turns twice twin twist under until upon valley vase very view
village visit voice wait waits wake wakes walk walks wall walls want wants warm wash watch watches water
wave waves weak wear wears week well were west what wheel wheels when where which while whip white whole
whom whose wide wife wild will wind window windy wine wing wings wink winter wire wise wish with wolf woman
women wonder wood wooden wool word words wore work world worm worn would wrap write wrong yard year years
yell yellow young your zone
"""
