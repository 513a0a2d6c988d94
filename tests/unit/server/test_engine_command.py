import subprocess

from vibethinker_server.engine_command import render_command


def test_the_command_is_one_that_a_shell_takes_apart_into_the_same_words():
    args = ["--model", "/a b/c", "--json", '{"x": 1}', "--switch", "--last", "1"]
    text = render_command("python3 -m vllm.entry", args, {"B": "2 3", "A": "1"})
    stand_in = """python3() { printf '%s\\0' "$A" "$B" "$@"; }\n"""
    shell = subprocess.run(
        ["sh", "-c", stand_in + text], check=True, capture_output=True, text=True
    )
    assert shell.stdout.split("\0")[:-1] == ["1", "2 3", "-m", "vllm.entry", *args]
    assert "\n  --switch \\\n" in text


def test_each_flag_stands_on_a_line_with_its_value():
    assert render_command("m", ["--a", "1", "--b"], {}) == "m \\\n  --a 1 \\\n  --b"
