/** How wide an element is, in px; as good as endless until it is measured. */
import { type RefObject, useLayoutEffect, useRef, useState } from "react";

export function useWidth(): [RefObject<HTMLDivElement | null>, number] {
  const element = useRef<HTMLDivElement>(null);
  const [width, setWidth] = useState(Number.MAX_SAFE_INTEGER);
  useLayoutEffect(() => {
    const measured = element.current;
    if (measured === null) return undefined;
    const sizes = new ResizeObserver(() => setWidth(measured.clientWidth));
    setWidth(measured.clientWidth);
    sizes.observe(measured);
    return () => sizes.disconnect();
  }, []);
  return [element, width];
}
