"""ARP frames as RFC 826 has them."""

from __future__ import annotations

from homelab.probe.holders import ARP, HEADER, claimant, question

VIP = "10.77.0.10"
# An answer as captured by tcpdump -xx from a Linux machine that holds 10.77.0.10.
ANSWER = bytes.fromhex(
    "024277770001024277770012080600010800060400020242777700120a4d000a0242777700010a4d0001"
)


def test_the_question_goes_to_everybody_and_teaches_nobody() -> None:
    frame = question(VIP)
    assert len(frame) == HEADER.size + ARP.size == 42
    assert frame[:6] == b"\xff" * 6
    assert frame[28:32] == bytes(4)
    assert frame[-4:] == bytes([10, 77, 0, 10])


def test_an_answer_names_its_machine() -> None:
    assert claimant(ANSWER, VIP) == "02:42:77:77:00:12"


def test_our_own_question_is_no_claim() -> None:
    assert claimant(question(VIP), VIP) is None


def test_an_announcement_is_a_claim() -> None:
    announced = ANSWER[:6] + ANSWER[6:20] + b"\x00\x01" + ANSWER[22:38] + ANSWER[28:32]
    assert claimant(announced, VIP) == "02:42:77:77:00:12"


def test_other_addresses_and_short_frames_are_nobodys() -> None:
    assert claimant(ANSWER, "10.77.0.11") is None
    assert claimant(ANSWER[:20], VIP) is None
