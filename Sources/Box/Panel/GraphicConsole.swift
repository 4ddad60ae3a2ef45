import CLinux
import Glibc

/// The console in front, told to leave the screen to a program: neither its cursor nor its text is drawn over a picture in
/// the framebuffer, and it does not go dark after ten minutes (drivers/tty/vt/vt_ioctl.c, `vt_kdsetmode`).
///
/// It gets its screen back with the end of this value. A process that is killed can't give it back; the next one that shows
/// a picture then finds a console that was told already, and leaves it as it is.
struct GraphicConsole: ~Copyable {
    /// Reads or sets a console's mode.
    typealias Control = (_ console: CInt, _ request: UInt, _ mode: inout CInt) -> Bool

    private let descriptor: CInt
    private let control: Control

    /// - Parameters:
    ///   - path: the console; opening this one means the one that is in front then.
    ///   - control: the kernel, or what tests put in its place.
    /// - Returns: nil where there is no console, where it can't be told, or where it is another program's already.
    init?(
        _ path: String = "/dev/tty0",
        control: @escaping Control = { console, request, mode in
            // One takes a number, the other writes to where one is.
            request == UInt(KDSETMODE)
                ? ioctl(console, request, mode) == 0
                : withUnsafeMutablePointer(to: &mode) { ioctl(console, request, UnsafeMutableRawPointer($0)) == 0 }
        }
    ) {
        let descriptor = open(path, O_RDWR | O_CLOEXEC | O_NOCTTY)
        guard descriptor >= 0 else { return nil }
        var (mode, graphics) = (KD_GRAPHICS, KD_GRAPHICS)
        guard control(descriptor, UInt(KDGETMODE), &mode), mode == KD_TEXT,
            control(descriptor, UInt(KDSETMODE), &graphics)
        else {
            close(descriptor)
            return nil
        }
        self.descriptor = descriptor
        self.control = control
    }

    deinit {
        var text = KD_TEXT
        _ = control(descriptor, UInt(KDSETMODE), &text)
        close(descriptor)
    }
}
