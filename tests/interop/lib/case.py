"""Cases: what run.py finds in the test_*.py files."""

import inspect

BOTH = ("prosody", "ejabberd")
cases = []


class Case:
    def __init__(self, play, servers, direct, begin, seconds):
        self.play = play
        self.name = play.__name__
        self.title = inspect.getdoc(play).partition("\n")[0]
        self.servers = servers
        self.direct = direct
        self.begin = begin
        self.seconds = seconds


def case(servers=BOTH, direct=False, seconds=60, begin=True, **options):
    """Makes a case of a coroutine function play(world, count); count is how
    many messages are to pass.
    servers    those it is played with
    direct     it holds without a proxy too
    begin      whether world.begin(**options) is called before
    seconds    it has failed after that long, without the messages' share"""
    def register(play):
        cases.append(Case(play, servers, direct, options if begin else None,
                          seconds))
        return play
    return register
