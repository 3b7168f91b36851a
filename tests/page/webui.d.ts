/** What the WebUI's page gives extensions, and what ours adds for the page's handlers. */

declare function onAfterUiUpdate(callback: () => void): void;

interface Window {
  facefix: Record<string, (...values: string[]) => unknown>;
}
