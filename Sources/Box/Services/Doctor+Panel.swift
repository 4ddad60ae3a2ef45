import BoxConfiguration
import BoxNetwork
import BoxPanel
import Glibc

extension Doctor {
    /// Looks at the panel: its bus and lines, or its screen.
    mutating func examinePanel(_ configuration: BoxConfiguration) {
        switch configuration.panel.model {
        case .none: fine("panel", "none is wanted (panel.model)")
        case .terminal: fine("panel", "the terminal")
        case .png: fine("panel", "a picture file")
        case .framebuffer: examineScreen(configuration.panel.path)
        case .spi(let model):
            let lines = examineLines(PanelWiring.lines(of: model), subject: "panel") {
                Self.mend(PanelWiring.overlays(of: model))
            }
            examineBus(configuration.panel.spi)
            if lines { fine("panel", "\(model); its lines are there") }
        }
    }

    /// Looks at the button.
    mutating func examineButton(_ configuration: BoxConfiguration) {
        guard configuration.button.enabled != .no else { return fine("button", "none is wanted (button.enabled)") }
        if configuration.button.enabled == .auto, Self.errorCode(of: .button) == ENOENT {
            return fine("button", "none: no line is named \(GPIOLineName.button.rawValue)")
        }
        var overlays = [PanelWiring.buttonAlone]
        if case .spi(let model) = configuration.panel.model { overlays = PanelWiring.overlays(of: model) }
        guard examineLines([.button], subject: "button", mend: { Self.mend(overlays) }) else { return }
        // Nobody holds a button to try it.
        if let program = configuration.button.shutdown.first, !RunningProgram.isThere(program) {
            wrong(
                "button", "held, it can't shut the machine down: there is no program \(program)",
                mend: "correct button.shutdown", fatal: false)
        } else {
            fine("button", "its line is there")
        }
    }

    /// - Returns: whether all of them are there, and free or the box's own.
    private mutating func examineLines(
        _ names: [GPIOLineName], subject: String, mend: () -> String
    ) -> Bool {
        var missing: [String] = []
        var isFine = true
        for name in names {
            do {
                guard let user = try name.user(), user != "kibitz-local" else { continue }
                wrong(
                    subject, "the line \(name.rawValue) is in use by \(user)",
                    mend: "stop that program, or take the overlay of that driver out of config.txt", fatal: false)
            } catch  where error.code == ENOENT {
                missing.append(name.rawValue)
                continue
            } catch {
                wrong(
                    subject, "\(error)", mend: "run as root, or as a user of the group gpio (/dev/gpiochip*)",
                    fatal: false)
                return false
            }
            isFine = false
        }
        guard !missing.isEmpty else { return isFine }
        let words = missing.count == 1 ? "no line is" : "no lines are"
        wrong(
            subject, "\(words) named \(missing.joined(separator: ", ")): the overlay is not loaded", mend: mend(),
            fatal: false)
        return false
    }

    private mutating func examineBus(_ path: String) {
        if access(path, R_OK | W_OK) == 0 { return fine("panel", "\(path) is there") }
        let code = errno
        let mend =
            switch code {
            case ENOENT: Self.boot()?.mend(bus: path) ?? "switch the bus on, and load the kernel's driver spidev"
            case EACCES, EPERM: "run as root, or as a user of the group spi"
            default: "set panel.spi to the device of the bus"
            }
        wrong("panel", "\(path): \(String(cString: strerror(code)))", mend: mend, fatal: false)
    }

    private mutating func examineScreen(_ path: String?) {
        let paths = path.map { [$0] } ?? screenDevices()
        if let path = paths.first(where: { access($0, R_OK | W_OK) == 0 }) { return fine("panel", "\(path) is there") }
        let isThere = paths.contains { access($0, F_OK) == 0 }
        wrong(
            "panel", "\(paths.joined(separator: ", ")): " + (isThere ? "may not be opened" : "there is no such screen"),
            mend: isThere
                ? "run as root, or as a user of the group video"
                : "connect the screen, or name its device with panel.path",
            fatal: false)
    }

    private static func errorCode(of name: GPIOLineName) -> Int32 {
        do {
            _ = try name.user()
            return 0
        } catch { return error.code }
    }

    private static func mend(_ overlays: [String]) -> String {
        boot()?.mend(overlays) { access($0, F_OK) == 0 }
            ?? "load the overlay \(overlays[0]); overlays/README.md shows the wiring"
    }

    private static func boot() -> BootConfiguration? {
        for folder in BootConfiguration.folders {
            if let text = text(of: "\(folder)/config.txt") { return BootConfiguration(text, folder: folder) }
        }
        return nil
    }
}
