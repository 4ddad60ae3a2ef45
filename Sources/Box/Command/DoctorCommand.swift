import ArgumentParser
import Box

/// `kibitz-local doctor`: each thing the box needs, checked.
struct DoctorCommand: ParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "doctor", abstract: "Checks each thing the box needs, and says how to mend what is wrong.")

    @OptionGroup var settings: SettingOptions
    @OptionGroup var state: StateOption

    func run() throws {
        var doctor = Doctor(options: settings.options(state: state.state))
        let findings = doctor.examine()
        for finding in findings {
            print(
                "\(finding.mend == nil ? "ok   " : finding.isFatal ? "WRONG" : "note ")  \(finding.subject): \(finding.detail)"
            )
            if let mend = finding.mend { print("         \(mend)") }
        }
        if findings.contains(where: \.isFatal) { throw ExitCode.failure }
    }
}
