package lab

import (
	"context"
	"errors"
	"fmt"
	"maps"
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
	"slices"
	"strconv"
	"strings"
	"syscall"
)

// Image is the container image that the Dockerfile describes, made without a
// container engine: `make rootfs` as in its build stage, then every instruction of
// its final one.
type Image struct {
	Root        string // folder with the image's files
	User, Group int
	Labels      map[string]string
	Environment map[string]string
	Workdir     string
	Volumes     []string
	Entrypoint  []string
	Default     []string // the arguments, if there are no others
	Healthcheck []string
	Bubblewrap  string // the program that enters it
}

// makesRootfs is the step of the build stage that the lab does itself.
var makesRootfs = regexp.MustCompile(`\bmake rootfs ROOTFS=(\S+)`)

// BuildImage makes the image for this machine.
func (l *Lab) BuildImage(ctx context.Context) (*Image, error) {
	bubblewrap, err := l.Program(ctx, "bwrap", "bubblewrap")
	if err != nil {
		return nil, err
	}
	dockerfile, err := os.ReadFile(filepath.Join(l.root, "Dockerfile"))
	if err != nil {
		return nil, err
	}
	all := stages(string(dockerfile))
	if len(all) != 2 {
		return nil, fmt.Errorf("the Dockerfile has %d stages, not 2", len(all))
	}
	built, err := l.buildStage(ctx, all[0])
	if err != nil {
		return nil, err
	}
	root, err := l.Folder("image")
	if err != nil {
		return nil, err
	}
	image := &Image{Root: root, Labels: map[string]string{}, Environment: map[string]string{}, Bubblewrap: bubblewrap}
	arguments := map[string]string{}
	for _, step := range all[1] {
		if err := image.apply(step, arguments, built); err != nil {
			return nil, fmt.Errorf("following the Dockerfile: %s %s: %w", step.name, step.rest, err)
		}
	}
	for _, folder := range []string{"proc", "dev"} { // container engines make them
		if err := os.Mkdir(filepath.Join(root, folder), 0o755); err != nil {
			return nil, err
		}
	}
	return image, nil
}

// buildStage does the step of the build stage that matters, and returns where
// a path in that stage is now.
func (l *Lab) buildStage(ctx context.Context, stage []instruction) (built func(path string) (string, error), err error) {
	for _, step := range stage {
		match := makesRootfs.FindStringSubmatch(step.rest)
		if step.name != "RUN" || match == nil {
			continue
		}
		l.Announce("Building the container image's files")
		rootfs := filepath.Join(l.dir, "rootfs")
		if err := l.run(ctx, "make", "--silent", "rootfs", "ROOTFS="+rootfs); err != nil {
			return nil, err
		}
		return func(path string) (string, error) {
			inside, ok := strings.CutPrefix(path, match[1]+"/")
			if !ok {
				return "", fmt.Errorf("%s is not of make rootfs", path)
			}
			return filepath.Join(rootfs, inside), nil
		}, nil
	}
	return nil, errors.New("the build stage of the Dockerfile does not run make rootfs")
}

func (i *Image) apply(step instruction, arguments map[string]string, built func(string) (string, error)) (err error) {
	switch step.name {
	case "FROM":
		if step.rest != "scratch" {
			return errors.New("only an image from scratch is known by all that is in it")
		}
	case "ARG":
		maps.Copy(arguments, step.pairs(arguments))
	case "LABEL":
		maps.Copy(i.Labels, step.pairs(arguments))
	case "ENV":
		maps.Copy(i.Environment, step.pairs(arguments))
	case "COPY":
		return i.copy(step, built)
	case "WORKDIR":
		i.Workdir = step.rest
	case "VOLUME":
		i.Volumes = strings.Fields(step.rest)
	case "USER":
		_, err = fmt.Sscanf(step.rest, "%d:%d", &i.User, &i.Group)
	case "EXPOSE":
	case "HEALTHCHECK":
		command, ok := strings.CutPrefix(step.rest, "CMD ")
		if !ok {
			return errors.New("no CMD")
		}
		step.rest = command
		i.Healthcheck, err = step.words()
	case "ENTRYPOINT":
		i.Entrypoint, err = step.words()
	case "CMD":
		i.Default, err = step.words()
	default:
		return errors.New("the lab does not know this instruction")
	}
	return err
}

// copy takes a folder from the build stage.
func (i *Image) copy(step instruction, built func(string) (string, error)) error {
	from, to, ok := strings.Cut(step.rest, " ")
	if !ok || step.flag("from") != "build" {
		return errors.New("the lab only copies one folder of the build stage")
	}
	source, err := built(from)
	if err != nil {
		return err
	}
	target := filepath.Join(i.Root, to)
	if err := os.CopyFS(target, os.DirFS(source)); err != nil {
		return err
	}
	owner := step.flag("chown")
	if owner == "" || os.Geteuid() != 0 {
		return nil
	}
	var user, group int
	if _, err := fmt.Sscanf(owner, "%d:%d", &user, &group); err != nil {
		return err
	}
	return os.Chown(target, user, group)
}

// Container is what `docker run --read-only --cap-drop=ALL --network=host` of an
// image would make, with a folder of this machine as /data.
type Container struct {
	image    *Image
	data     string
	readOnly [][2]string // further folders: on this machine, and below /data
	env      []string    // NAME=value
}

// NewContainer makes a container with a folder of its own as /data, and further
// environment variables, NAME=value.
func (l *Lab) NewContainer(image *Image, name string, environment ...string) (*Container, error) {
	data, err := l.Folder(name)
	if err != nil {
		return nil, err
	}
	if os.Geteuid() == 0 {
		if err := os.Chown(data, image.User, image.Group); err != nil {
			return nil, err
		}
	}
	return &Container{image: image, data: data, env: environment}, nil
}

// Data is the folder of this machine that is /data in the container.
func (c *Container) Data() string { return c.data }

// Run is the command that runs the image with these arguments, or else its own.
func (c *Container) Run(arguments ...string) *exec.Cmd {
	if len(arguments) == 0 {
		arguments = c.image.Default
	}
	return c.Enter(slices.Concat(c.image.Entrypoint, arguments)...)
}

// Healthcheck is the command that asks the running container for its health.
func (c *Container) Healthcheck() *exec.Cmd { return c.Enter(c.image.Healthcheck...) }

// Enter is a command in the container: as the image's user, without any
// capability, in a root file system that can't be written. The network is this
// machine's, because the homeserver of a lab listens on loopback.
func (c *Container) Enter(command ...string) *exec.Cmd {
	i := c.image
	arguments := []string{
		"--unshare-user", "--uid", strconv.Itoa(i.User), "--gid", strconv.Itoa(i.Group), "--cap-drop", "ALL",
		"--unshare-pid", "--as-pid-1", "--unshare-ipc", "--unshare-uts", "--die-with-parent", "--new-session",
		"--ro-bind", i.Root, "/", "--proc", "/proc", "--dev", "/dev", "--bind", c.data, "/data",
	}
	for _, mount := range c.readOnly {
		arguments = append(arguments, "--ro-bind", mount[0], mount[1])
	}
	arguments = append(arguments, "--chdir", i.Workdir, "--clearenv")
	for name, value := range i.Environment {
		arguments = append(arguments, "--setenv", name, value)
	}
	for _, variable := range c.env {
		name, value, _ := strings.Cut(variable, "=")
		arguments = append(arguments, "--setenv", name, value)
	}
	cmd := exec.Command(i.Bubblewrap, slices.Concat(arguments, []string{"--"}, command)...)
	cmd.SysProcAttr = attributes(nil)
	if os.Geteuid() == 0 { // so that the kernel, too, sees the image's user
		cmd.SysProcAttr = attributes(&syscall.Credential{Uid: uint32(i.User), Gid: uint32(i.Group)})
	}
	return cmd
}
