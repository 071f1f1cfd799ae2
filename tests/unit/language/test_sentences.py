from __future__ import annotations

from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from lorakit.language.story.sentences import sentences, split
from lorakit.language.yaml.findings import Findings
from lorakit.language.yaml.nodes import Source
from lorakit.language.yaml.source import compose


def found(text: str) -> list[tuple[str, int, int]]:
    root = compose(Source(Path("x"), "x", text), Findings())
    assert isinstance(root.value, dict)
    return [(sentence, spot.line, spot.column) for sentence, spot in split(root.value["text"])]


@pytest.mark.parametrize("header", [">", ">-", ">2"])
def test_each_sentence_knows_where_it_begins(header: str) -> None:
    text = f"text: {header}\n  The bunny waits. He finds\n  a key. Then he\n  sleeps!\n"
    assert found(text) == [
        ("The bunny waits.", 2, 3),
        ("He finds a key.", 2, 20),
        ("Then he sleeps!", 3, 10),
    ]


@pytest.mark.parametrize("header", ["|", "|-", "|2"])
def test_a_literal_block_s_lines_are_sentences_of_their_own(header: str) -> None:
    text = (
        f"text: {header}\n  The bunny waits\n  he finds a key\n  A key! It\n  glows.\n\n  「夜。\n"
    )
    assert found(text) == [
        ("The bunny waits", 2, 3),
        ("he finds a key", 3, 3),
        ("A key!", 4, 3),
        ("It", 4, 10),
        ("glows.", 5, 3),
        ("「夜。", 7, 3),
    ]


CUTS = """
Ms. Lee smiles. | She waves.
Tom meets Ms. Fox. | Ms. Fox waves at Mr. and Mrs. Owl.
ms. rabbit waits. | Capt. Tom sails to Mt. Doom. | Ft. Knox is far.
Rev. Owl sings. | Hon. Fox claps. | Lt. Col. Bear and Sgt. Mouse sleep.
Dr. No waits at 5 p.m. in the hall. | He leaves at 6 p.m. | She stays.
At 5 p.m. Tom sleeps. | 5 P.M. Tom wakes.
Vol. 2 lies open. | Tom reads Ch. 3 and pp. 4 to 5. | Ep. IV begins.
Max. 3 owls fly. | There are max. 3 owls. | He meets Max. | 3 owls fly. | Abb. 3 zeigt Tom, Tel. 5 rings.
He meets No. 5 and no. 6. | Anna says no. | Then he runs.
INT. HOUSE - DAY. | Tom sits. | EXT. A street. | INT./EXT. CAR - NIGHT.
J. R. R. Tolkien writes. | J. Smith reads.
E.g. this one. | He has apples, e.g. Red ones, i.e. Good ones.
He lives in Main St. | He runs. | St. Petersburg is cold.
He waits... then runs. | It is 3.14 m wide, v. 2.0.1, at https://a.b/c.d?e=f. | Tom sees a.txt.
What?! | Tom runs. | No!! | Who?
1. Tom wakes. | 2. Anna sleeps.
"Stop." | Tom runs. | "Go. Now!" he says.
“Wait.” Tom said. | “Wait. Who is it?” asks Anna. | Tom runs.
Is it late? he asks. | Yes! she says.
(He waits. He sleeps.) Then he runs. | He wakes.
« Bonjour. Ça va ? » dit Tom. | Il part.
Tom sagt: „Halt. Stopp.“ | Er geht.
「おはよう。元気？」とトムは言う。 | 彼は走る。
「待って！」 | 「なぜ？」 | トムは走る。
『本。』を読む。 | 《红楼梦。》很长。 | 他读。
他说：“你好。再见。” | 他走了。 | 小红睡觉。
（静か。とても。）彼は寝る。 | 夜。
Он живёт в г. Москва, т.е. далеко. | Том спит.
«Стой!» — сказал Том. | Он ушёл. | Том, Анна и др. спят. | И т. д.
"Stop!" he says. | 'Go!' says Anna. | Anna stops.
J.R.R. Tolkien wakes. | Tom B. Smith sleeps. | He is at 10 Downing St. in London.
Sra. López sings. | Srta. Gil and Sr. Gil sit. | Cdr. Data nods. | Ens. Kim and Ste. Anne wait.
I. The forest. | II. The castle. | XIV. The end.
An open ( stays open. | It ends.
Tom loves art. | Anna sings. | They feel ill. | Jack helps. | He likes me. | Tom says no. | Anna says yes.
No. | Tom stays. | No. 5 is alive. | Ok. | Anna comes. | He eats a fig. | Tom looks at fig. 3. | It is op. 5.
They eat apples, pears, etc. | Anna sleeps. | He waits… | Anna comes. | Wait… what? | He came in. | Tom went.
Meet at 5 p.m. | Bring Tom. | At 5 p.m. Tom wakes. | He walks on Fifth Ave. | A car stops. | Apt. A is empty.
Mon. is cold. | Am 3. Oktober schläft Tom. | Er zahlt 5 Mio. Euro. | Il Sig. Volpe dorme. | tom sat. | anna ran.
Tom says: "I feel ill. Anna, help." | She runs. | (I feel ill. Anna helps.) They sleep.
"""


@pytest.mark.parametrize("line", CUTS.strip().splitlines())
def test_sentences_are_cut_where_they_end(line: str) -> None:
    wanted = line.split(" | ")
    blank = "" if "。" in line else " "  # Chinese and Japanese have none between sentences
    assert [" ".join(one.split()) for one in sentences(blank.join(wanted))] == wanted


def test_a_blank_line_ends_a_sentence() -> None:
    assert found("text: |\n  A fox\n\n  A bear.\n") == [("A fox", 2, 3), ("A bear.", 4, 3)]


def test_a_plain_and_a_quoted_paragraph() -> None:
    assert found("text: A fox. A bear.\n  An owl.\n") == [
        ("A fox.", 1, 7),
        ("A bear.", 1, 14),
        ("An owl.", 2, 3),
    ]
    assert found('text: "A fox. A bear."\n') == [("A fox.", 1, 8), ("A bear.", 1, 15)]


def test_sentences_that_are_alike_have_places_of_their_own() -> None:
    assert found("text: >\n  A fox. A fox.\n  A fox.\n") == [
        ("A fox.", 2, 3),
        ("A fox.", 2, 10),
        ("A fox.", 3, 3),
    ]


def test_numbers_and_titles_do_not_split() -> None:
    assert len(found("text: The fox has 3.5 apples at 2 p.m. in the garden.\n")) == 1


@given(
    st.lists(
        st.sampled_from(["A fox.", "The bear sleeps!", "Who?", "An owl", "e.g. this"]),
        min_size=1,
        max_size=12,
    )
)
def test_no_word_is_lost(sentences: list[str]) -> None:
    text = "text: >\n" + "".join(f"  {sentence}\n" for sentence in sentences)
    assert " ".join(one[0] for one in found(text)).split() == " ".join(sentences).split()
