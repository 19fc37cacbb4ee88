import pytest

from bench.figures import Aim, Fact, Line, Series, Took, fullest_second, show, table, timed


def series(*seconds: float) -> Series:
    """Runs of which the processor worked half the time."""
    return Series("a series", [Took(one, one / 2) for one in seconds])


def test_the_table_says_medians_ratio_and_whether_the_aim_was_reached() -> None:
    own, floor = series(0.004, 0.002, 0.006), series(0.001, 0.002, 0.003)
    head, rule, line = table([Line(own, 100_000, floor, Aim("p95", 0.005))]).splitlines()
    assert [len(head), len(rule)] == [len(line)] * 2
    assert [cell.strip() for cell in line.strip("|").split("|")] == [
        "a series",
        "100 000",
        "3",
        "4.0 ms",
        "6.0 ms",
        "2.0 ms",
        "a series",
        "2.0 ms",
        "3.0 ms",
        "1.0 ms",
        "2.0",
        "p95 < 5.0 ms: NO",
    ]


def test_a_reached_aim_says_yes_and_a_series_without_a_floor_leaves_its_cells_empty() -> None:
    line = Line(series(0.5), 20_000, aim=Aim("median", 1.0))
    assert line.cells()[6:] == ("", "", "", "", "", "median < 1.00 s: yes")


def test_p95_is_the_least_time_that_covers_95_of_100_runs() -> None:
    assert series(*(float(n) for n in range(100, 0, -1))).p95 == 95
    assert series(3, 1, 2).p95 == 3


def test_a_timed_work_is_done_once_and_takes_some_time() -> None:
    done: list[int] = []
    took = timed(lambda: done.append(1))
    assert done == [1]
    assert took.seconds > 0


@pytest.mark.parametrize(
    ("seconds", "text"),
    [(0.000_25, "0.25 ms"), (0.0035, "3.5 ms"), (0.1234, "123 ms"), (2.345, "2.35 s")],
)
def test_times_keep_the_digits_that_mean_something(seconds: float, text: str) -> None:
    assert show(seconds) == text


def test_a_figure_that_is_no_time_stands_in_the_same_table() -> None:
    rate = Fact("pushed", "310/s", runs=1000, beside="one", floor="300/s", aim="≥ 300/s: yes")
    _, _, timed_line, fact_line = table([Line(series(0.5), 0), rate]).splitlines()
    assert len(timed_line) == len(fact_line)
    assert [cell.strip() for cell in fact_line.strip("|").split("|")] == [
        "pushed",
        "",
        "1000",
        "310/s",
        "",
        "",
        "one",
        "300/s",
        "",
        "",
        "",
        "≥ 300/s: yes",
    ]


def test_the_fullest_second_is_looked_for_wherever_it_begins() -> None:
    assert fullest_second([0.0, 0.9, 1.1, 1.5, 1.8, 3.0]) == 4
    assert fullest_second([]) == 0
