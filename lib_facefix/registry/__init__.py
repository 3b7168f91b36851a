"""All models that the user may select by name, as data: listing the names imports no model code.

To add a model, write one adapter file and add one line to a registry.
"""

from .catalogue import DETECTORS as DETECTORS
from .catalogue import EMBEDDINGS as EMBEDDINGS
from .catalogue import FIRST as FIRST
from .catalogue import GUARDING as GUARDING
from .catalogue import GUESSERS as GUESSERS
from .catalogue import LANDMARKERS as LANDMARKERS
from .catalogue import MASKERS as MASKERS
from .catalogue import OCCLUDERS as OCCLUDERS
from .catalogue import PARSERS as PARSERS
from .catalogue import REGISTRIES as REGISTRIES
from .catalogue import UPSCALERS as UPSCALERS
from .model_info import ModelInfo as ModelInfo
from .model_info import Registry as Registry
from .restorers import BUILT_IN as BUILT_IN
from .restorers import PEOPLE as PEOPLE
from .restorers import RESTORERS as RESTORERS
