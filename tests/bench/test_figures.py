from bench.figures import Aim, Line, Series, show, table


def test_the_table_says_medians_ratio_and_whether_the_aim_was_reached() -> None:
    own = Series("key to screen", [0.004, 0.002, 0.006])
    floor = Series("floor", [0.001, 0.002, 0.003])
    head, rule, line = table([Line(own, 100_000, floor, Aim("p95", 0.005))]).splitlines()
    assert [len(head), len(rule)] == [len(line)] * 2
    assert [cell.strip() for cell in line.strip("|").split("|")] == [
        "key to screen",
        "100 000",
        "3",
        "4.0 ms",
        "6.0 ms",
        "floor",
        "2.0 ms",
        "3.0 ms",
        "2.0",
        "p95 < 5.0 ms: NO",
    ]


def test_a_reached_aim_says_yes_and_a_series_without_a_floor_leaves_its_cells_empty() -> None:
    line = Line(Series("start", [0.5]), 20_000, aim=Aim("median", 1.0))
    assert line.cells()[5:] == ("", "", "", "", "median < 1.00 s: yes")


def test_p95_is_the_least_time_that_covers_95_of_100_runs() -> None:
    assert Series("", [float(n) for n in range(100, 0, -1)]).p95 == 95
    assert Series("", [3.0, 1.0, 2.0]).p95 == 3


def test_times_keep_the_digits_that_mean_something() -> None:
    assert [show(t) for t in (0.000_25, 0.0035, 0.1234, 2.345)] == [
        "0.25 ms",
        "3.5 ms",
        "123 ms",
        "2.35 s",
    ]
