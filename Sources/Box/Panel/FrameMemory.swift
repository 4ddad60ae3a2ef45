import CLinux
import Glibc

/// A device file and memory of it.
struct MappedDevice: ~Copyable {
    let descriptor: CInt
    private(set) var octets = UnsafeMutableRawBufferPointer(start: nil, count: 0)

    init(_ path: String) throws(DeviceError) {
        descriptor = open(path, O_RDWR | O_CLOEXEC)
        let code = errno
        guard descriptor < 0 else { return }
        let advice: String? =
            switch code {
            case ENOENT, ENODEV, ENXIO:
                "No screen is connected, or its driver is not loaded: panel.path names another one."
            case EACCES, EPERM: DeviceError.permissionAdvice(group: "video")
            default: nil
            }
        throw DeviceError("open \(path)", code: code, advice: advice)
    }

    deinit {
        if octets.count > 0 { munmap(octets.baseAddress, octets.count) }
        if descriptor >= 0 { close(descriptor) }
    }

    /// Sends a request.
    func request<Value: BitwiseCopyable>(
        _ request: CLinux_display_request, _ value: inout Value, _ what: String,
        advice: (Int32) -> String? = { _ in nil }
    ) throws(DeviceError) {
        let code = withUnsafeMutablePointer(to: &value) { value -> Int32 in
            while ioctl(descriptor, UInt(request.rawValue), UnsafeMutableRawPointer(value)) != 0 {
                guard errno == EINTR else { return errno }
            }
            return 0
        }
        guard code == 0 else { throw DeviceError(what, code: code, advice: advice(code)) }
    }

    mutating func map(_ length: Int, at offset: UInt64) throws(DeviceError) {
        let start = mmap(nil, length, PROT_READ | PROT_WRITE, MAP_SHARED, descriptor, off_t(clamping: offset))
        guard let start, start != MAP_FAILED else { throw DeviceError("map the screen's memory", code: errno) }
        octets = UnsafeMutableRawBufferPointer(start: start, count: length)
    }
}

/// A framebuffer device (Documentation/fb/api.rst).
final class FramebufferDevice: FrameMemory {
    let layout: FrameLayout
    let isSecondBest: Bool
    private let device: MappedDevice
    private let console: GraphicConsole?
    var octets: UnsafeMutableRawBufferPointer { device.octets }

    /// - Parameter isSecondBest: whether there is a screen that is better, and only was not to be had.
    init(_ path: String, isSecondBest: Bool = false) throws(DeviceError) {
        self.isSecondBest = isSecondBest
        var device = try MappedDevice(path)
        var variable = fb_var_screeninfo()
        var fixed = fb_fix_screeninfo()
        try device.request(CLinux_FB_VARIABLE, &variable, "read the screen's form")
        try device.request(CLinux_FB_FIXED, &fixed, "read the screen's form")
        func channel(_ field: fb_bitfield) -> FrameLayout.Channel {
            FrameLayout.Channel(offset: Int(field.offset), length: Int(field.length))
        }
        let layout = FrameLayout(
            width: Int(variable.xres), height: Int(variable.yres), stride: Int(fixed.line_length),
            pixelBytes: Int(variable.bits_per_pixel) / 8, red: channel(variable.red), green: channel(variable.green),
            blue: channel(variable.blue))
        guard (2...4).contains(layout.pixelBytes), layout.width > 0, layout.height > 0,
            layout.stride >= layout.width * layout.pixelBytes, Int(fixed.smem_len) >= layout.stride * layout.height,
            [layout.red, layout.green, layout.blue].allSatisfy({ (1...16).contains($0.length) && $0.offset < 32 })
        else {
            throw DeviceError(
                "use the screen \(path)", code: EINVAL, advice: "Its pixels have no form that can be drawn.")
        }
        try device.map(Int(fixed.smem_len), at: 0)
        self.layout = layout
        self.device = device
        console = GraphicConsole()
    }

    /// The memory stays when another driver takes the screen, and nobody sees it any more; but the old device answers no
    /// request then (drivers/video/fbdev/core/fb_chrdev.c, `file_fb_info`).
    var isCurrent: Bool {
        var variable = fb_var_screeninfo()
        do throws(DeviceError) { try device.request(CLinux_FB_VARIABLE, &variable, "read the screen's form") } catch {
            return false
        }
        return Int(variable.xres) == layout.width && Int(variable.yres) == layout.height
            && Int(variable.bits_per_pixel) / 8 == layout.pixelBytes
    }

    func flush() {}
}

/// A screen of the direct rendering manager: memory of its own ("dumb buffer"), shown on the first screen that is connected, in
/// the mode that screen likes best.
final class DirectScreen: FrameMemory {
    /// What a card may have at most of anything; a larger answer is none.
    private static let limit = 64

    let layout: FrameLayout
    private let device: MappedDevice
    private let framebuffer: UInt32
    private let connector: UInt32
    private let crtc: UInt32
    var isSecondBest: Bool { false }
    /// Whether the driver wants to be told of changes.
    private var isToldOfChanges = true
    var octets: UnsafeMutableRawBufferPointer { device.octets }

    init(_ path: String) throws(DeviceError) {
        var device = try MappedDevice(path)
        let (connector, mode, crtc) = try Self.connectedScreen(of: device)
        let (width, height) = (UInt32(mode.hdisplay), UInt32(mode.vdisplay))
        var buffer = CLinux_drm_buffer()
        (buffer.width, buffer.height, buffer.bpp) = (width, height, 32)
        try device.request(CLinux_DRM_CREATE_BUFFER, &buffer, "make a picture for the screen")
        var frame = CLinux_drm_framebuffer()
        (frame.width, frame.height, frame.pitch) = (width, height, buffer.pitch)
        (frame.bpp, frame.depth, frame.handle) = (32, 24, buffer.handle)
        try device.request(CLinux_DRM_ADD_FRAMEBUFFER, &frame, "make a picture for the screen")
        var map = CLinux_drm_map()
        map.handle = buffer.handle
        try device.request(CLinux_DRM_MAP_BUFFER, &map, "map the screen's memory")
        try device.map(Int(clamping: buffer.size), at: map.offset)
        device.octets.initializeMemory(as: UInt8.self, repeating: 0xFF)
        var wish = CLinux_drm_crtc()
        (self.connector, self.crtc) = (connector, crtc)
        var connectors = [connector]
        let shown: Result<Void, DeviceError> = connectors.withUnsafeMutableBufferPointer { connectors in
            wish.set_connectors_ptr = UInt64(UInt(bitPattern: connectors.baseAddress))
            (wish.count_connectors, wish.crtc_id, wish.fb_id, wish.mode_valid) = (1, crtc, frame.fb_id, 1)
            wish.mode = mode
            return Result { () throws(DeviceError) in
                try device.request(CLinux_DRM_SET_CRTC, &wish, "show a picture on the screen \(path)") {
                    [EACCES, EPERM, EBUSY].contains($0)
                        ? "Another program shows its own there, a desktop or a boot screen: end it." : nil
                }
            }
        }
        try shown.get()
        layout = .xrgb8888(width: Int(width), height: Int(height), stride: Int(buffer.pitch))
        framebuffer = frame.fb_id
        self.device = device
    }

    /// The first connected screen, its best mode, and what can send to it.
    private static func connectedScreen(
        of device: borrowing MappedDevice
    ) throws(DeviceError) -> (connector: UInt32, mode: CLinux_drm_mode, crtc: UInt32) {
        let what = "look for the screen"
        var resources = CLinux_drm_resources()
        try device.request(CLinux_DRM_RESOURCES, &resources, what)
        var crtcs = [UInt32](repeating: 0, count: min(limit, Int(resources.count_crtcs)))
        var connectors = [UInt32](repeating: 0, count: min(limit, Int(resources.count_connectors)))
        resources = CLinux_drm_resources()
        (resources.count_crtcs, resources.count_connectors) = (UInt32(crtcs.count), UInt32(connectors.count))
        try withArrays(&crtcs, &connectors) { crtcs, connectors throws(DeviceError) in
            resources.crtc_id_ptr = crtcs
            resources.connector_id_ptr = connectors
            try device.request(CLinux_DRM_RESOURCES, &resources, what)
        }
        for connector in connectors {
            // The first time it looks what is connected, and counts.
            var answer = CLinux_drm_connector()
            answer.connector_id = connector
            try device.request(CLinux_DRM_CONNECTOR, &answer, what)
            // 1: connected (DRM_MODE_CONNECTED).
            guard answer.connection == 1, answer.count_modes > 0, answer.count_encoders > 0 else { continue }
            var modes = [CLinux_drm_mode](repeating: CLinux_drm_mode(), count: min(256, Int(answer.count_modes)))
            var encoders = [UInt32](repeating: 0, count: min(limit, Int(answer.count_encoders)))
            answer = CLinux_drm_connector()
            answer.connector_id = connector
            (answer.count_modes, answer.count_encoders) = (UInt32(modes.count), UInt32(encoders.count))
            try withArrays(&modes, &encoders) { modes, encoders throws(DeviceError) in
                answer.modes_ptr = modes
                answer.encoders_ptr = encoders
                try device.request(CLinux_DRM_CONNECTOR, &answer, what)
            }
            // 8: the one that the screen prefers (DRM_MODE_TYPE_PREFERRED); else the first.
            guard let mode = modes.first(where: { $0.type & 8 != 0 }) ?? modes.first, mode.hdisplay > 0,
                mode.vdisplay > 0
            else { continue }
            for id in encoders {
                var encoder = CLinux_drm_encoder()
                encoder.encoder_id = id
                try device.request(CLinux_DRM_ENCODER, &encoder, what)
                let usable = crtcs.indices.first { $0 < 32 && encoder.possible_crtcs & 1 << UInt32($0) != 0 }
                if crtcs.contains(encoder.crtc_id) { return (connector, mode, encoder.crtc_id) }
                if let usable { return (connector, mode, crtcs[usable]) }
            }
        }
        throw DeviceError(what, code: ENODEV, advice: "No screen is connected.")
    }

    /// Lends two arrays to the kernel.
    private static func withArrays<A, B>(
        _ first: inout [A], _ second: inout [B], _ body: (UInt64, UInt64) throws(DeviceError) -> Void
    ) throws(DeviceError) {
        let result: Result<Void, DeviceError> = first.withUnsafeMutableBufferPointer { first in
            second.withUnsafeMutableBufferPointer { second in
                Result { () throws(DeviceError) in
                    try body(
                        UInt64(UInt(bitPattern: first.baseAddress)), UInt64(UInt(bitPattern: second.baseAddress)))
                }
            }
        }
        try result.get()
    }

    /// A card that has gone answers no request; a screen that was unplugged is not connected.
    var isCurrent: Bool {
        var shown = CLinux_drm_crtc()
        shown.crtc_id = crtc
        var answer = CLinux_drm_connector()
        answer.connector_id = connector
        // Room for one mode: with none at all, the driver would look and not only tell, which takes long.
        answer.count_modes = 1
        var mode = CLinux_drm_mode()
        let connection = withUnsafeMutablePointer(to: &mode) { mode -> UInt32? in
            answer.modes_ptr = UInt64(UInt(bitPattern: mode))
            do throws(DeviceError) {
                try device.request(CLinux_DRM_GET_CRTC, &shown, "look at the screen")
                try device.request(CLinux_DRM_CONNECTOR, &answer, "look at the screen")
            } catch { return nil }
            return answer.connection
        }
        return connection == 1 && shown.fb_id == framebuffer
    }

    func flush() throws(DeviceError) {
        guard isToldOfChanges else { return }
        var dirty = CLinux_drm_dirty()
        dirty.fb_id = framebuffer
        do throws(DeviceError) {
            try device.request(CLinux_DRM_DIRTY, &dirty, "show the picture")
        } catch {
            // Most show the memory itself.
            guard error.code == ENOSYS || error.code == EINVAL || error.code == ENOTTY else { throw error }
            isToldOfChanges = false
        }
    }
}

/// Opens a screen: the one that is named, or the first there is.
///
/// A screen of the direct rendering manager comes first: there, no console's cursor or login prompt is drawn over the codes, and
/// the firmware's framebuffer is only there until the real driver has taken over.
func openFrameMemory(_ path: String?) throws(DeviceError) -> any FrameMemory {
    if let path {
        return path.hasPrefix("/dev/dri/") ? try DirectScreen(path) : try FramebufferDevice(path)
    }
    var direct: DeviceError?
    for card in cardsWithScreens() {
        do throws(DeviceError) { return try DirectScreen(card) } catch {
            // A card without a screen says nothing.
            if error.code != ENODEV { direct = direct ?? error }
        }
    }
    do throws(DeviceError) {
        return try FramebufferDevice("/dev/fb0", isSecondBest: direct != nil)
    } catch {
        throw error.isMissing ? direct ?? error : error
    }
}

/// The devices that ``openFrameMemory(_:)`` tries where none is named: cards with a screen, and the framebuffer.
public func screenDevices() -> [String] { cardsWithScreens() + ["/dev/fb0"] }

/// The cards that may have a screen: a Raspberry Pi has one that only renders. The kernel tells without looking at the cable
/// (Documentation/ABI/testing/sysfs-class-drm and drm_sysfs.c, `status`).
/// - Parameter folder: where the kernel lists its cards and what can be plugged into them.
func cardsWithScreens(in folder: String = "/sys/class/drm") -> [String] {
    guard let stream = opendir(folder) else { return [] }
    defer { closedir(stream) }
    var cards: Set<String> = []
    while let entry = readdir(stream) {
        let name = withUnsafeBytes(of: &entry.pointee.d_name) { String(decoding: $0.prefix { $0 != 0 }, as: UTF8.self) }
        // card1-HDMI-A-1
        guard name.hasPrefix("card"), let dash = name.firstIndex(of: "-") else { continue }
        if let status = smallFile("\(folder)/\(name)/status"), !status.hasPrefix("disconnected") {
            cards.insert("/dev/dri/\(name[..<dash])")
        }
    }
    return cards.sorted()
}
