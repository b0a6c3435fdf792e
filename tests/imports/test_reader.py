import codecs

import pytest

from imports.reader import CsvFile, FileRefused, FileTooLarge, Limits, find_delimiter


@pytest.fixture
def file(tmp_path):
    """Write text or bytes to a file: ``file("a,b\\n1,2\\n")``."""

    def write(content, *, encoding="utf-8", name="list.csv"):
        path = tmp_path / name
        path.write_bytes(content if isinstance(content, bytes) else content.encode(encoding))
        return path

    return write


def cells(table):
    return [row.cells for row in table.rows()]


@pytest.mark.parametrize("delimiter", [",", ";", "\t", "|", "`"])
def test_delimiter_is_found(file, delimiter):
    lines = ["first,name", "Ann;Lee", "a|b", "c\td", "e`f"]
    rows = [["no", "text"], *([str(n), line] for n, line in enumerate(lines))]
    text = "\n".join(delimiter.join(f'"{cell}"' for cell in row) for row in rows)

    table = CsvFile(file(text))

    assert table.delimiter == delimiter
    assert cells(table) == rows[1:]


def test_delimiter_can_be_chosen_by_sign_or_name(file):
    path = file("a;b,c\n1;2,3\n")

    assert CsvFile(path, delimiter=",").header == ["a;b", "c"]
    assert CsvFile(path, delimiter="semicolon").header == ["a", "b,c"]


@pytest.mark.parametrize("delimiter", ["ab", "x", '"', "\n"])
def test_delimiter_that_cannot_separate_is_refused(file, delimiter):
    with pytest.raises(FileRefused):
        CsvFile(file("a,b\n"), delimiter=delimiter)


def test_decimal_commas_do_not_win_over_semicolons():
    lines = ["Name;Wert\n", "Ann;1,50\n", "Ben;2,75\n"]

    assert find_delimiter(lines) == ";"


def test_file_of_one_column_has_one_column(file):
    table = CsvFile(file("Name\nAnn Lee\nBen Oz\n"))

    assert (table.header, cells(table)) == (["Name"], [["Ann Lee"], ["Ben Oz"]])


@pytest.mark.parametrize("end", ["\n", "\r", "\r\n"])
def test_line_ends_are_alike_inside_cells_too(file, end):
    text = end.join(["a,b", '1,"two', 'lines"', "3,4", ""])

    table = CsvFile(file(text))

    assert cells(table) == [["1", "two\nlines"], ["3", "4"]]
    assert [row.line for row in table.rows()] == [2, 4]


def test_mixed_line_ends(file):
    assert cells(CsvFile(file("a,b\r1,2\r\n3,4\n5,6"))) == [["1", "2"], ["3", "4"], ["5", "6"]]


@pytest.mark.parametrize(
    ("encoding", "found"),
    [
        ("utf-8", "utf-8"),
        ("utf-8-sig", "utf-8-sig"),
        ("utf-16", "utf-16"),
        ("utf-16-le", "utf-16-le"),
        ("utf-16-be", "utf-16-be"),
        ("cp1252", "cp1252"),
    ],
)
def test_encoding_is_found(file, encoding, found):
    table = CsvFile(file("Name,Ort\nJürgen Groß,Köln\n", encoding=encoding))

    assert table.encoding == found
    assert table.header == ["Name", "Ort"]
    assert cells(table) == [["Jürgen Groß", "Köln"]]


def test_utf_8_that_breaks_late_is_read_as_cp1252(file):
    table = CsvFile(file(b"Name\n" + b"Ann\n" * 100_000 + "Zoë\n".encode("cp1252")))

    assert table.encoding == "cp1252"
    assert [row.cells for row in table.rows()][-1] == ["Zoë"]


@pytest.mark.parametrize("encoding", ["mac_roman", "iso-8859-15"])
def test_encoding_can_be_chosen(file, encoding):
    path = file("Name,Ort\nFrançois Œuvrard,Évora\n", encoding=encoding)

    assert cells(CsvFile(path, encoding=encoding)) == [["François Œuvrard", "Évora"]]


def test_encoding_that_does_not_fit_is_refused_with_the_place(file):
    with pytest.raises(FileRefused, match="byte 5 "):
        CsvFile(file(b"Name\n\xff\n"), encoding="utf-8")


def test_encoding_nobody_knows_is_refused(file):
    with pytest.raises(FileRefused, match="klingon"):
        CsvFile(file("a\n"), encoding="klingon")


def test_bytes_of_neither_common_encoding_ask_for_the_encoding(file):
    with pytest.raises(FileRefused, match="Name its encoding"):
        CsvFile(file(b"Name\nLef\x8fvre\n"))


def test_byte_order_mark_is_no_part_of_the_first_header(file):
    assert CsvFile(file(codecs.BOM_UTF8 + b"Name,Age\n1,2\n")).header == ["Name", "Age"]
    assert CsvFile(file(codecs.BOM_UTF8 + b"Name\n"), encoding="utf-8").header == ["Name"]


def test_blank_and_repeated_headers_get_names(file):
    table = CsvFile(file(" Name ,,Email,email,\n1,2,3,4,5\n"))

    assert table.header == ["Name", "Column 2", "Email", "email (2)", "Column 5"]


def test_header_row_can_be_chosen(file):
    path = file("Leads of May,,\n\nFirst,Last,Mail\nAnn,Lee,a@b.example\n")

    table = CsvFile(path, header_row=3)

    assert table.header == ["First", "Last", "Mail"]
    assert cells(table) == [["Ann", "Lee", "a@b.example"]]


def test_blank_lines_are_left_out_and_rows_of_blanks_are_not(file):
    table = CsvFile(file('\n\na,b\n1,2\n\n"",""\n   \n3,4\n'))

    assert cells(table) == [["1", "2"], ["", ""], ["3", "4"]]
    assert [row.line for row in table.rows()] == [4, 6, 8]


def test_short_rows_are_filled_up_and_blank_surplus_is_dropped(file):
    table = CsvFile(file("a,b,c\n1\n1,2,3,,\n"))

    assert cells(table) == [["1", "", ""], ["1", "2", "3"]]


def test_filled_surplus_is_a_problem_of_the_row(file):
    first, second = CsvFile(file("a,b\n1,2,3\n4,5\n")).rows()

    assert "3 cells" in first.problem
    assert (second.cells, second.problem) == (["4", "5"], "")


def test_stray_blank_after_a_quote_shifts_no_cells(file):
    assert cells(CsvFile(file('a,b\n"1","2" "\n"3","4"\n'))) == [["1", '2 "'], ["3", "4"]]


def test_blanks_after_delimiters_do_not_hide_quotes(file):
    assert cells(CsvFile(file('a, b\n"x", "1, 2"\n'))) == [["x", "1, 2"]]


def test_apostrophes_may_quote(file):
    table = CsvFile(file("'name','town'\n'O','Cork, Ireland'\n"))

    assert (table.header, cells(table)) == (["name", "town"], [["O", "Cork, Ireland"]])


def test_quote_that_is_never_closed_is_a_problem_of_its_row(file):
    rows = list(CsvFile(file('a,b\n1,2\n3,"4\n5,6\n')).rows())

    assert rows[0].cells == ["1", "2"]
    assert [row.line for row in rows] == [2, 3]
    assert "line 3 is not closed" in rows[1].problem


def test_overlong_cell_is_a_problem_of_its_row_and_reading_goes_on(file):
    rows = list(CsvFile(file("a,b\n1,2\n3," + "x" * 1_000_000 + "\n5,6\n")).rows())

    assert [row.line for row in rows] == [2, 3, 4]
    assert "131,072" in rows[1].problem
    assert rows[2].cells == ["5", "6"]


def test_nul_is_handed_on_for_the_field_to_refuse(file):
    assert cells(CsvFile(file("a,b\n1,x\x00y\n"))) == [["1", "x\x00y"]]


@pytest.mark.parametrize("content", ["", "  \n\n"])
def test_empty_file_is_refused(file, content):
    with pytest.raises(FileRefused, match="empty|no header"):
        CsvFile(file(content))


def test_header_alone_has_no_rows(file):
    table = CsvFile(file("a,b\n"))

    assert (table.header, table.row_count) == (["a", "b"], 0)


@pytest.mark.parametrize(
    ("start", "words"),
    [
        (b"PK\x03\x04rest", "save the sheet as CSV"),
        (b"\xd0\xcf\x11\xe0rest", "save the sheet as CSV"),
        (b"\x89PNG\r\n", "not a text file"),
        (b"%PDF-1.7", "not a text file"),
        (b"<!DOCTYPE html><p>", "not a text file"),
        (b"a\x00b\x00\x00\x00\x01\x02\x00\x00", "not a text file"),
    ],
)
def test_other_kinds_of_files_are_refused_by_their_content(file, start, words):
    with pytest.raises(FileRefused, match=words):
        CsvFile(file(start))


def test_missing_file_and_folder_are_refused(tmp_path):
    with pytest.raises(FileRefused, match="can't be opened"):
        CsvFile(tmp_path / "nothing.csv")
    with pytest.raises(FileRefused, match="can't be opened"):
        CsvFile(tmp_path)


def test_file_over_the_size_is_refused_unread(file):
    with pytest.raises(FileTooLarge) as refusal:
        CsvFile(file("a\n" * 1000), limits=Limits(size=100))

    assert refusal.value.status == 413


def test_rows_over_the_limit_are_refused(file):
    table = CsvFile(file("a\n1\n2\n3\n"), limits=Limits(rows=2))

    with pytest.raises(FileTooLarge, match="more than 2 rows"):
        list(table.rows())


def test_columns_over_the_limit_are_refused(file):
    with pytest.raises(FileRefused, match="2000 columns"):
        CsvFile(file(",".join(f"c{n}" for n in range(2000)) + "\n"))


def test_line_without_end_is_refused(file):
    with pytest.raises(FileRefused, match="Line 2"):
        list(CsvFile(file("a\n" + "x," * 3_000_000)).rows())


def test_rows_can_be_read_again(file):
    table = CsvFile(file("a,b\n1,2\n"))

    assert cells(table) == cells(table) == [["1", "2"]]
