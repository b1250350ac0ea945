"""The house style of figures: SVG and PDF drawn without pyplot, same input same bytes; letters as paths in SVG.

Figures for a paper are `printed`: drawn in the size in which they stand there, a column or the text of a page wide.

Colours are of Okabe & Ito's palette, told apart by people with any colour vision; shape and numbers repeat what colour
says, so that a grey print loses nothing.
"""

import contextlib
import functools
import io
import warnings
from collections.abc import Iterable, Sequence
from dataclasses import dataclass

import matplotlib
import numpy as np
from matplotlib.backends.backend_pdf import FigureCanvasPdf
from matplotlib.backends.backend_svg import FigureCanvasSVG
from matplotlib.colors import LinearSegmentedColormap
from matplotlib.figure import Figure
from matplotlib.text import Text

from analysis.labels import LONGEST_LABEL, shortened_apart
from analysis.letters import HOUSE_FONT, provide_letters

__all__ = [
    "BLUE",
    "COLUMN",
    "FAINT",
    "INK",
    "LINE_STYLES",
    "ORANGE",
    "PAGE",
    "PALE",
    "SMALLEST",
    "SOFT",
    "Drawing",
    "bare",
    "draw_cells",
    "drawing_of",
    "label_ticks",
    "plain_legend",
    "printed",
    "signed",
    "styled",
    "svg_text",
]

BLUE, ORANGE, INK, SOFT, FAINT, PALE = "#0072B2", "#D55E00", "#1f2933", "#5b6770", "#c3ccd5", "#eef1f4"
COLUMN, PAGE = 3.4, 7.0  # inches: a column of a journal, and the text of a page
SMALLEST = 7.0  # points, of the letters
# (colour, marker, dashes) of lines in one panel: all pairs differ in two of the three.
LINE_STYLES = tuple(
    (colour, marker, dashes)
    for dashes, markers in (("-", "osD^vP"), ((0, (4, 2)), "D^vPos"), ((0, (1, 1.5)), "vPosD^"))
    for colour, marker in zip((BLUE, ORANGE, "#009E73", "#CC79A7", "#E69F00", INK), markers, strict=True)
)
_SHADES = LinearSegmentedColormap.from_list("shades", [ORANGE, "#ffffff", BLUE])
_STYLE = {
    "svg.fonttype": "path",
    # Outlines that every viewer and publisher takes; type 3 is refused by some.
    "pdf.fonttype": 42,
    # By this one matplotlib 3.11 cuts the letters of a PDF into fonts, and each costs as much as the first.
    "ps.fonttype": 42,
    "figure.autolayout": False,
    "figure.constrained_layout.use": False,
    "savefig.bbox": None,
    "font.family": HOUSE_FONT,
    "font.size": 9,
    "text.color": INK,
    "axes.edgecolor": INK,
    "axes.labelcolor": INK,
    "xtick.color": INK,
    "ytick.color": INK,
}
_PRINTED = _STYLE | {
    "font.size": 7.5,
    "xtick.labelsize": SMALLEST,
    "ytick.labelsize": SMALLEST,
    "axes.linewidth": 0.6,
    "xtick.major.width": 0.6,
    "ytick.major.width": 0.6,
    "xtick.major.size": 2.5,
    "ytick.major.size": 2.5,
    "xtick.major.pad": 2.5,
    "ytick.major.pad": 2.5,
    "axes.labelpad": 2.5,
    "figure.constrained_layout.h_pad": 0.03,
    "figure.constrained_layout.w_pad": 0.03,
}


@dataclass(frozen=True)
class Drawing:
    """One figure as SVG text and as PDF; boxes: characters that no font of this machine has, drawn as boxes."""

    svg: str
    pdf: bytes
    boxes: str = ""

    def files(self, name: str) -> dict[str, str | bytes]:
        """Contents by file name, as `write_files` takes them."""
        return {f"{name}.svg": self.svg, f"{name}.pdf": self.pdf}


def styled(draw):
    """Decorator of a function that draws: in the house style, whatever the caller's matplotlib is set to."""
    return _within(_STYLE, draw)


def printed(draw):
    """As `styled`, in the size that it has in print: thin lines and small letters, none below SMALLEST."""
    return _within(_PRINTED, draw)


def _within(style: dict, draw):
    @functools.wraps(draw)
    def drawn(*args, **options):
        with matplotlib.rc_context(style):
            return draw(*args, **options)

    return drawn


def draw_cells(
    axes,
    values: np.ndarray,
    texts: Sequence[Sequence[str]],
    *,
    limit: float,
    size: float,
    gap: float = 2.0,
) -> None:
    """Coloured cells with their numbers, the first row on top; blue above zero, orange below, full at +-limit.

    values: (rows, columns), NaN for an empty cell; texts: what stands in each; size: of the letters; gap: between
    the cells, both in points.
    """
    rows, columns = values.shape
    # A mesh and not an image: drawn as outlines, with no compressed pixels whose bytes hang on the library.
    edges = np.arange(columns + 1) - 0.5, np.arange(rows + 1) - 0.5
    shown = np.ma.masked_invalid(values)
    axes.pcolormesh(*edges, shown, cmap=_SHADES, vmin=-limit, vmax=limit, edgecolors="white", linewidth=gap)
    axes.set(xlim=(-0.5, columns - 0.5), ylim=(rows - 0.5, -0.5))
    for i, j in np.argwhere(np.isfinite(values)):
        axes.text(
            j,
            i,
            texts[i][j],
            ha="center",
            va="center",
            fontsize=size,
            # Orange is the lighter of the two.
            color="white" if values[i, j] > 0.64 * limit or values[i, j] < -0.85 * limit else INK,
        )
    axes.tick_params(length=0)
    for spine in axes.spines.values():
        spine.set_visible(False)


def label_ticks(
    axis, positions: np.ndarray, labels: Iterable[str], *, slanted: bool = False, longest: int = LONGEST_LABEL
) -> None:
    """Names at the positions of an axis, those of more than `longest` characters without their middle."""
    axis.set_ticks(positions, shortened_apart(labels, longest))
    for text in axis.get_ticklabels():
        # A condition may be called "$5": it is a name and not a formula.
        text.set_parse_math(False)
        if slanted:
            text.set(rotation=40, ha="right", rotation_mode="anchor")


def signed(value: float, digits: int = 2) -> str:
    """So many digits after the point, with its sign."""
    # Adding zero takes the sign off a negative zero.
    return f"{round(value, digits) + 0.0:+.{digits}f}".replace("-", "\N{MINUS SIGN}")


def bare(axes, *sides: str) -> None:
    """Without the frame's `sides`."""
    for side in sides:
        axes.spines[side].set_visible(False)


def plain_legend(figure: Figure, handles: Sequence, *, columns: int, title: str | None = None) -> None:
    """A legend above the panels whose names are no formulas."""
    legend = figure.legend(
        handles=handles,
        loc="outside upper left",
        ncols=columns,
        frameon=False,
        fontsize=SMALLEST,
        title=title,
        title_fontsize=SMALLEST,
        handlelength=1.7,
        handletextpad=0.6,
        columnspacing=1.0,
        borderpad=0.2,
        labelspacing=0.35,
    )
    for text in legend.get_texts():
        text.set_parse_math(False)


def drawing_of(figure: Figure, salt: str) -> Drawing:
    """The figure as SVG and as PDF; `salt` as in `svg_text`."""
    boxes = provide_letters(figure)
    for text in figure.findobj(Text):
        # matplotlib 3.11 sets "fi" as one letter, and embeds another font for it.
        if hasattr(text, "set_fontfeatures"):
            text.set_fontfeatures(("-liga",))
    # Once for both: an engine that stays has everything drawn once more before each file.
    FigureCanvasSVG(figure)
    with _boxes_unmentioned():
        figure.get_layout_engine().execute(figure)
    figure.set_layout_engine(None)
    svg = _svg(figure, salt)
    FigureCanvasPdf(figure)
    metadata = {"CreationDate": None, "Creator": None, "Producer": None}
    return Drawing(svg, _saved(figure, io.BytesIO(), format="pdf", metadata=metadata), boxes)


def svg_text(figure: Figure, salt: str) -> str:
    """The figure as SVG; `salt` keeps the names in it apart from those of other figures on one page."""
    provide_letters(figure)
    return _svg(figure, salt)


def _svg(figure: Figure, salt: str) -> str:
    FigureCanvasSVG(figure)
    with matplotlib.rc_context({"svg.hashsalt": salt}):
        return _saved(figure, io.StringIO(), format="svg", metadata={"Date": None, "Creator": None})


def _saved(figure: Figure, file: io.StringIO | io.BytesIO, **options):
    """What matplotlib writes."""
    with _boxes_unmentioned():
        figure.savefig(file, **options)
    return file.getvalue()


@contextlib.contextmanager
def _boxes_unmentioned():
    """Without a warning for every letter that is drawn as a box; whoever wants a Drawing is told of them by `boxes`."""
    with warnings.catch_warnings():
        warnings.filterwarnings("ignore", message="Glyph .* missing from font")
        yield
