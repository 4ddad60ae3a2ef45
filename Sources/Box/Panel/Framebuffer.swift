import Glibc
import NIOCore
import Raster
import Screens

/// Memory that a screen shows.
protocol FrameMemory: AnyObject {
    /// How its pixels lie.
    var layout: FrameLayout { get }
    /// The pixels.
    var octets: UnsafeMutableRawBufferPointer { get }
    /// Whether the screen still shows this memory: a driver of its own may have taken it over from the firmware's since, or it
    /// was unplugged.
    var isCurrent: Bool { get }
    /// Whether there is a screen that is better, and only was not to be had.
    var isSecondBest: Bool { get }
    /// Tells the driver that the pixels have changed, where it has to be told.
    func flush() throws(DeviceError)
}

/// How the pixels of a screen's memory lie.
struct FrameLayout: Equatable {
    /// Pixels in a row, and rows.
    var width: Int
    var height: Int
    /// Octets from one row to the next.
    var stride: Int
    /// Octets of a pixel: 2, 3 or 4.
    var pixelBytes: Int
    /// Where red, green and blue lie in a pixel, from its lowest bit.
    var red: Channel
    var green: Channel
    var blue: Channel

    /// A colour's bits in a pixel.
    struct Channel: Equatable {
        var offset: Int
        var length: Int

        /// A colour of `from` bits as it stands in the pixel.
        func bits(_ value: UInt16, from: Int) -> UInt32 {
            // Repeated to 16 bits, so that full stays full.
            let wide = UInt32(value) << (16 - from)
            let full = wide | wide >> from | wide >> (2 * from) | wide >> (3 * from)
            return (full >> UInt32(16 - min(length, 16))) << UInt32(offset)
        }
    }

    /// 8 bits for each colour, blue lowest (DRM_FORMAT_XRGB8888).
    static func xrgb8888(width: Int, height: Int, stride: Int) -> FrameLayout {
        FrameLayout(
            width: width, height: height, stride: stride, pixelBytes: 4, red: Channel(offset: 16, length: 8),
            green: Channel(offset: 8, length: 8), blue: Channel(offset: 0, length: 8))
    }

    /// The longest side that a picture is drawn with; on a larger screen each of its pixels is a square of many, which is
    /// what is read from afar, and costs the same memory on every screen.
    static let longestSide = 480

    /// Pixels of the screen on each side of one of the picture's.
    var scale: Int { (max(width, height) + Self.longestSide - 1) / Self.longestSide }

    /// The picture that fills the screen.
    var picture: PictureFormat {
        PictureFormat(width: max(1, width / scale), height: max(1, height / scale), depth: .rgb565)
    }

    /// A pixel as it lies in memory, of which the lowest ``pixelBytes`` octets count.
    func pixel(_ word: UInt16) -> UInt32 {
        red.bits(word >> 11, from: 5) | green.bits(word >> 5 & 0x3F, from: 6) | blue.bits(word & 0x1F, from: 5)
    }

    /// Fills the memory with a picture of the format ``picture``; what it leaves at the edges becomes white.
    func fill(_ octets: UnsafeMutableRawBufferPointer, with words: [UInt16]) {
        let format = picture
        let (left, top) = ((width - format.width * scale) / 2, (height - format.height * scale) / 2)
        let white = pixel(0xFFFF)
        guard octets.count >= stride * height, stride >= width * pixelBytes, words.count == format.width * format.height
        else { return }
        var line = [UInt8](repeating: 0, count: width * pixelBytes)
        func put(_ pixel: UInt32, at x: Int) {
            for byte in 0..<pixelBytes {
                line[x * pixelBytes + byte] = UInt8(truncatingIfNeeded: pixel >> (8 * UInt32(byte)))
            }
        }
        var made: Int?
        for y in 0..<height {
            let row = y < top ? -1 : min((y - top) / scale, format.height)
            if row != made {
                for x in 0..<width {
                    let column = x < left ? -1 : (x - left) / scale
                    let isInside = row >= 0 && row < format.height && column >= 0 && column < format.width
                    put(isInside ? pixel(words[row * format.width + column]) : white, at: x)
                }
                made = row
            }
            UnsafeMutableRawBufferPointer(rebasing: octets[(y * stride)...]).copyBytes(from: line)
        }
    }
}

/// A screen that the kernel drives: HDMI, or a panel with a kernel driver of its own.
final class FramebufferSurface: PanelSurface {
    /// From one look at the screen to the next: it may be plugged in later, or change hands.
    private static let lookDelay = TimeAmount.seconds(5)

    private(set) var trouble: PanelTrouble? {
        didSet { if trouble != oldValue { onTrouble() } }
    }
    var pace: PanelPace { .quick }
    var keepsPicture: Bool { false }
    /// Until the screen is there, of no size that counts.
    var format: PictureFormat? { (memory?.layout.picture ?? Self.unknown).turned(turn) }

    private static let unknown = PictureFormat(width: 320, height: 240, depth: .rgb565)
    private let turn: Turn
    private let loop: any EventLoop
    private let open: () throws(DeviceError) -> any FrameMemory
    private let onTrouble: () -> Void
    /// Called when the screen was found, and wants its picture in ``format``.
    var onFound: () -> Void = {}
    private var memory: (any FrameMemory)?
    private var looking: Scheduled<Void>?

    init(
        turn: Turn, loop: any EventLoop, open: @escaping () throws(DeviceError) -> any FrameMemory,
        onTrouble: @escaping () -> Void
    ) {
        self.turn = turn
        self.loop = loop
        self.open = open
        self.onTrouble = onTrouble
    }

    func start() {
        look()
        looking = loop.assumeIsolated().scheduleTask(in: Self.lookDelay) { [weak self] in self?.start() }
    }

    private func look() {
        let isCurrent = memory?.isCurrent == true
        if isCurrent, memory?.isSecondBest == false { return }
        // Before the next one: a screen has room for one program.
        if !isCurrent { memory = nil }
        do throws(DeviceError) {
            let found = try open()
            if isCurrent, found.isSecondBest { return }
            memory = found
            trouble = nil
            onFound()
        } catch {
            if !isCurrent { trouble = PanelTrouble(.missing, error) }
        }
    }

    func show(_ screen: Screen, awaited: Bool, picture: () throws -> Picture) {
        guard let memory else { return }
        do {
            let picture = try picture().turned(turn)
            guard case .rgb565(let words) = picture.pixels else { return }
            memory.layout.fill(memory.octets, with: words)
            try memory.flush()
            trouble = nil
        } catch let error as DeviceError {
            trouble = PanelTrouble(.bus, error)
        } catch {
            trouble = PanelTrouble(.font, "\(error)")
        }
    }

    func finish(_ done: @escaping () -> Void) {
        looking?.cancel()
        // The console gets its screen back, as it does from a screen of the direct rendering manager.
        memory = nil
        done()
    }
}
