// What every staff page loads, after htmx.
import "@github/relative-time-element";
import { startActions } from "./actions.js";
import { startFigures } from "./figures.js";
import { startLists } from "./list.js";
import { startMirrors } from "./mirror.js";
import { startOptimism } from "./optimistic.js";
import { startOverlays } from "./overlays.js";
import { startPalette } from "./palette.js";
import { startPickers } from "./picker.js";
import { startProgress } from "./progress.js";
import { startSubmitting } from "./submit.js";
import { startTheme } from "./theme.js";
import { startToasts } from "./toasts.js";
import { startTyping } from "./typed.js";

startTheme();
startToasts();
startOverlays();
startLists();
startFigures();
startMirrors();
startOptimism();
startPalette();
startPickers();
startProgress();
startSubmitting();
startTyping();
startActions();
