import pytest
from host_sources import Host
from own_sources import uses

HOST = {
    "modules/__init__.py": "",
    "modules/base.py": """
from dataclasses import dataclass, field

@dataclass
class Base:
    steps: int = 20
    sampler: str = None
    hidden: int = field(default=0, init=False)

    def init(self, prompts, seeds):
        self.latent = 1

    @property
    def model(self):
        return 1
""",
    "modules/processing.py": """
from collections import namedtuple
from modules.base import Base
from modules import shared as s
from elsewhere import Unknown

Args = namedtuple("Args", ["image", "index"])

class Img2Img(Base):
    pass

class Odd(Unknown):
    pass

def save(image, path, *, info=None):
    pass

def anything(*args, **kwargs):
    pass

if s.opts.fast:
    try:
        import quick
    except ImportError:
        slow = 1
""",
    "modules/shared.py": """
from modules.state import State
opts: "Options" = None
state: "State" = None
cmd_opts = None
names = {"samples_format": "png"}
parser.add_argument("--no-half")
""",
    "modules/state.py": """
class State:
    skipped = False

    def begin(self, job="none"):
        pass
""",
    "modules/scripts.py": """
class Script:
    name = None

    def process(self, p, *args):
        pass

    def ui(self, is_img2img):
        pass
""",
}


@pytest.fixture(scope="module")
def made_up(tmp_path_factory):
    root = tmp_path_factory.mktemp("host")
    for name, text in HOST.items():
        (root / name).parent.mkdir(exist_ok=True)
        (root / name).write_text(text, "utf-8")
    return Host(root)


@pytest.mark.parametrize(
    "code",
    [
        pytest.param("from modules import processing as p\np.save(1, path=2, info=3)", id="a function"),
        pytest.param("from modules.processing import anything\nanything(1, 2, three=3)", id="one that takes all"),
        pytest.param("from modules.processing import Img2Img\nImg2Img(steps=3, sampler=2)", id="a dataclass inherited"),
        pytest.param("import modules.processing\nmodules.processing.Args(1, index=2)", id="a namedtuple"),
        pytest.param("from modules.processing import Odd\nOdd(1).anything\nOdd.what", id="a class of others' making"),
        pytest.param("from modules.processing import quick, slow, s", id="what is bound in blocks"),
        pytest.param("from modules import shared\nshared.state.begin(job=1); shared.state.skipped", id="an object"),
        pytest.param("from modules import shared\nshared.opts.samples_format; shared.cmd_opts.no_half", id="options"),
        pytest.param(
            "from importlib import import_module\nimport_module('modules.scripts').Script", id="imported late"
        ),
        pytest.param("from modules import shared\ndef f(shared):\n    return shared.nothing", id="a name of our own"),
        pytest.param("from modules.shared import state\nargs = []\nstate.begin(*args)", id="arguments not known"),
        pytest.param("from elsewhere import nothing\nnothing.at.all(1)", id="no host's"),
        pytest.param(
            "from modules.processing import Img2Img\nclass Ours(Img2Img):\n"
            "    def __init__(self, more, **told):\n        super().__init__(**told)\n        self.more = more\n"
            "    def init(self, *args):\n        super().init(*args)\n        self.latent = self.model + self.more",
            id="a subclass",
        ),
        pytest.param(
            "from modules import scripts\nclass Ours(scripts.Script):\n"
            "    def process(self, p, *args): self._own(self.name)\n    def _own(self, name): pass",
            id="a script",
        ),
    ],
)
def test_right_use_is_not_complained_about(made_up, code):
    assert [said for use in uses(code, "ours.py") for said in use.complaints(made_up)] == []


@pytest.mark.parametrize(
    ("code", "complaint"),
    [
        pytest.param("from modules import nothing", "modules has no nothing", id="no such module"),
        pytest.param("import modules_forge.main", "there is no module modules_forge", id="no such package"),
        pytest.param("from modules.processing import nothing", "modules.processing has no nothing", id="no such name"),
        pytest.param(
            "def f():\n    from modules import processing\n    return processing.nothing",
            "modules.processing has no nothing",
            id="inside a function",
        ),
        pytest.param(
            "from importlib import import_module\nimport_module('modules.base').nothing",
            "modules.base has no nothing",
            id="imported late",
        ),
        pytest.param("from modules import processing as p\np.save(1, 2, 3)", "takes 2 arguments, not 3", id="too many"),
        pytest.param("from modules import processing as p\np.save(1)", "save needs path", id="too few"),
        pytest.param("from modules import processing as p\np.save(1, 2, inf=3)", "takes no inf", id="by a wrong name"),
        pytest.param("from modules.processing import Img2Img\nImg2Img(hidden=1)", "takes no hidden", id="not a field"),
        pytest.param("from modules.processing import Args\nArgs(1)", "Args needs index", id="a namedtuple"),
        pytest.param("from modules import shared\nshared.state.stop", "State has no stop", id="of an object"),
        pytest.param("from modules import shared\nshared.state.begin(1, 2)", "takes 1 arguments, not 2", id="a method"),
        pytest.param("from modules import shared\nshared.opts.gone", "the host has no option gone", id="an option"),
        pytest.param("from modules import shared\nshared.cmd_opts.gone", "the host has no option gone", id="a flag"),
        pytest.param(
            "from modules.processing import Img2Img\nclass Ours(Img2Img):\n    def init(self, *_): self.gone = 1",
            "Img2Img has no gone",
            id="set in a subclass",
        ),
        pytest.param(
            "from modules.processing import Img2Img\nclass Ours(Img2Img):\n    def init(self, prompts): ...",
            "is given 2 arguments, and ours takes 1",
            id="overridden with too few",
        ),
        pytest.param(
            "from modules.processing import Img2Img\nclass Ours(Img2Img):\n"
            "    def __init__(self): super().__init__(seed=1)",
            "takes no seed",
            id="of the class above",
        ),
        pytest.param(
            "from modules import scripts\nclass Ours(scripts.Script):\n    def process(self, p): pass",
            "is given any number of arguments",
            id="a hook that takes too little",
        ),
        pytest.param(
            "from modules import scripts\nclass Ours(scripts.Script):\n    def proces(self, p, *args): pass",
            "Script has no proces",
            id="a hook that is never called",
        ),
    ],
)
def test_wrong_use_is_complained_about_once(made_up, code, complaint):
    [said] = [said for use in uses(code, "ours.py") for said in use.complaints(made_up)]
    assert said.startswith("ours.py:")
    assert said.endswith(complaint)
