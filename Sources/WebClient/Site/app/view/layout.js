/** Where the tiles stand. Pure: sizes in CSS pixels in, rectangles out. */

/** Tiles are no narrower than this and no wider, as width over height. */
const NARROWEST = 0.5;
const WIDEST = 1.78;
/** What most cameras and faces like best. */
const BEST = 1.15;

/** Rectangles {x, y, width, height} for `count` tiles that fill width × height well. */
export function gridRectangles(count, width, height, gap) {
  if (count === 0 || width <= 0 || height <= 0) return [];
  let best = null;
  for (let columns = 1; columns <= count; columns += 1) {
    const rows = Math.ceil(count / columns);
    const cellWidth = (width - gap * (columns - 1)) / columns;
    const cellHeight = (height - gap * (rows - 1)) / rows;
    if (cellWidth <= 0 || cellHeight <= 0) continue;
    const ratio = Math.min(Math.max(cellWidth / cellHeight, NARROWEST), WIDEST);
    const tileWidth = Math.min(cellWidth, cellHeight * ratio);
    const tileHeight = Math.min(cellHeight, cellWidth / ratio);
    // Area that shows something, less for shapes that cut faces off.
    const score = tileWidth * tileHeight * (1 - 0.25 * Math.abs(Math.log(ratio / BEST)));
    if (best === null || score > best.score) best = { columns, rows, tileWidth, tileHeight, score };
  }
  const { columns, rows, tileWidth, tileHeight } = best;
  const top = (height - rows * tileHeight - (rows - 1) * gap) / 2;
  return Array.from({ length: count }, (_, index) => {
    const row = Math.floor(index / columns);
    const inRow = row === rows - 1 ? count - row * columns : columns;
    const left = (width - inRow * tileWidth - (inRow - 1) * gap) / 2;
    return {
      x: left + (index % columns) * (tileWidth + gap),
      y: top + row * (tileHeight + gap),
      width: tileWidth,
      height: tileHeight,
    };
  });
}

/** The own picture's place in a corner while one other person fills the stage. */
export function cornerRectangle(width, height, gap) {
  const portrait = height > width;
  const side = Math.min(Math.max(Math.min(width, height) * 0.3, 84), 200);
  const size = portrait ? { width: side, height: side * 1.33 } : { width: side * 1.33, height: side };
  return { ...size, x: width - size.width - gap, y: height - size.height - gap };
}
