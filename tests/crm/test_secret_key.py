from concurrent.futures import ThreadPoolExecutor

from crm.secret_key import read_or_create


def test_processes_that_start_together_agree_on_one_key(tmp_path):
    path = tmp_path / "key"

    with ThreadPoolExecutor(8) as threads:
        keys = set(threads.map(read_or_create, [path] * 8))

    assert len(keys) == 1
    assert [file.name for file in tmp_path.iterdir()] == ["key"]
    assert path.stat().st_mode & 0o777 == 0o600
