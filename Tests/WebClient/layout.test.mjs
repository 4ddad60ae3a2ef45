import assert from 'node:assert/strict';
import test from 'node:test';
import { cornerRectangle, gridRectangles } from '../../Sources/WebClient/Site/app/view/layout.js';

const STAGES = [[344, 560], [640, 344], [1264, 640], [900, 700], [320, 320]];

test('1 to 12 tiles fit the stage, don’t overlap, have one size, and use at least half of it', () => {
  for (const [width, height] of STAGES) {
    for (let count = 1; count <= 12; count += 1) {
      const tiles = gridRectangles(count, width, height, 8);
      const where = `${count} on ${width}×${height}`;
      assert.equal(tiles.length, count);
      tiles.forEach((tile, index) => {
        assert.ok(tile.x >= -0.01 && tile.y >= -0.01, where);
        assert.ok(tile.x + tile.width <= width + 0.01 && tile.y + tile.height <= height + 0.01, where);
        assert.deepEqual([tile.width, tile.height], [tiles[0].width, tiles[0].height], where);
        for (const other of tiles.slice(index + 1)) {
          const apart = other.x >= tile.x + tile.width || tile.x >= other.x + other.width || other.y >= tile.y + tile.height;
          assert.ok(apart, where);
        }
      });
      assert.ok((count * tiles[0].width * tiles[0].height) / (width * height) > 0.5, where);
    }
  }
});

test('a stage without size has no tiles', () => {
  assert.deepEqual(gridRectangles(3, 0, 100, 8), []);
  assert.deepEqual(gridRectangles(0, 100, 100, 8), []);
});

test('the own picture stands inside the stage', () => {
  for (const [width, height] of STAGES) {
    const { x, y, width: w, height: h } = cornerRectangle(width, height, 8);
    assert.ok(x > width / 3 && y > 0 && x + w < width && y + h < height);
  }
});
