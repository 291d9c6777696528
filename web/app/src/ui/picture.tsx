// SPDX-License-Identifier: Apache-2.0
// A moving picture in its place: never stretched, and only to be seen while it moves.

import { useEffect, useLayoutEffect, useRef, useState } from 'preact/hooks';

/** A camera without a frame for so long is shown as a name again. */
const FROZEN_MS = 5000;
/** Up to here a picture loses its edges; beyond, bars are better. */
const CROP_MAX = 1.45;

interface PictureProps {
  readonly stream: MediaStream | undefined;
  readonly mid?: string;
  /** A shared screen: all of it is shown, and it may stand still. */
  readonly isScreen?: boolean;
  readonly mirrored?: boolean;
}

/** Calls `live` when pictures begin and when they have ceased. */
function watch(video: HTMLVideoElement, mayStandStill: boolean, live: (yes: boolean) => void): () => void {
  const begin = () => live(true);
  if (typeof video.requestVideoFrameCallback !== 'function' || mayStandStill) {
    video.addEventListener('playing', begin);
    return () => video.removeEventListener('playing', begin);
  }
  let last = performance.now();
  let handle = 0;
  const frame = () => {
    last = performance.now();
    live(true);
    handle = video.requestVideoFrameCallback(frame);
  };
  handle = video.requestVideoFrameCallback(frame);
  const timer = window.setInterval(() => {
    /* In a page that is not looked at nothing is drawn. */
    if (document.visibilityState === 'hidden') last = performance.now();
    else if (performance.now() - last > FROZEN_MS) live(false);
  }, 1000);
  return () => {
    video.cancelVideoFrameCallback(handle);
    window.clearInterval(timer);
  };
}

function isCropped({ videoWidth, videoHeight, clientWidth, clientHeight }: HTMLVideoElement): boolean {
  if (videoWidth === 0 || clientHeight === 0) return true;
  const ratio = videoWidth / videoHeight / (clientWidth / clientHeight);
  return ratio < CROP_MAX && ratio > 1 / CROP_MAX;
}

export function Picture({ stream, mid, isScreen = false, mirrored = false }: PictureProps) {
  const video = useRef<HTMLVideoElement>(null);
  const [live, setLive] = useState(false);
  const [cropped, setCropped] = useState(true);
  useLayoutEffect(() => {
    const element = video.current;
    if (element === null) return undefined;
    setLive(false);
    element.srcObject = stream ?? null;
    if (stream === undefined) return undefined;
    void element.play().catch(() => undefined);
    const unwatch = watch(element, isScreen, setLive);
    return () => {
      unwatch();
      element.srcObject = null;
    };
  }, [stream, isScreen]);
  useEffect(() => {
    const element = video.current;
    if (element === null || isScreen) return undefined;
    const look = () => setCropped(isCropped(element));
    const observer = new ResizeObserver(look);
    observer.observe(element);
    element.addEventListener('resize', look);
    return () => {
      observer.disconnect();
      element.removeEventListener('resize', look);
    };
  }, [isScreen]);
  const classes = ['picture', live ? 'live' : '', !isScreen && cropped ? 'cropped' : '', mirrored ? 'mirrored' : ''];
  return (
    <video
      ref={video}
      class={classes.filter((name) => name !== '').join(' ')}
      data-mid={mid}
      muted
      playsInline
      autoplay
      disablePictureInPicture
      aria-hidden="true"
      tabIndex={-1}
    />
  );
}
