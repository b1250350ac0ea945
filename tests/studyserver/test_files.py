"""Files are there whole or not at all."""

from studyserver.files import write_whole


def test_two_writers_at_once_leave_one_whole_file(data_dir):
    path = data_dir / "mean.png"

    def write(part):
        part.write_text("first")
        # Somebody else begins and ends meanwhile.
        write_whole(path, lambda other: other.write_text("second"))
        assert path.read_text() == "second"

    write_whole(path, write)
    assert path.read_text() == "first"
    assert [file.name for file in data_dir.iterdir()] == ["mean.png"]
