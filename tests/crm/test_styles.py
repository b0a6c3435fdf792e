from crm.styles import JOINED, joined


def test_the_joined_sheet_is_as_its_parts():
    """After a change of a style sheet run ``manage.py join_styles``, or ``make format``."""
    assert JOINED.read_text() == joined()


def test_joining_leaves_no_import():
    assert "@import" not in joined()
