"""The order of a training's moments, by which ranks that are left choose whom to follow."""

from distnet.training.cursor import Cursor
from distnet.training_state import Moment, Progress, Stage


def test_the_end_of_a_training_comes_after_its_last_epoch():
    end, after, following = Moment(2, 6, Stage.END), Moment(2, 0, Stage.AFTER), Moment(3, 0, Stage.START)
    assert end < after < following
    assert max((end, True), (after, False)) == (after, False)
    assert after >= end
    assert not end >= after
    assert end <= after
    assert following > after


def test_a_cursor_that_has_not_moved_is_where_it_goes_on_from():
    after = Moment(2, 0, Stage.AFTER)
    cursor = Cursor.at(Progress(after, {}, ((0, 0), (0, 0))), True, (), 0)
    assert cursor.position == (after, True)
    cursor.move_to_the_end([0, 1, 2])
    assert cursor.position == (after, True)
