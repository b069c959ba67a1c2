# RoboCodeGen's 37 functions: what each is called with, and a solution of our own.  robot.c puts this in front of
# robot_runner.py and runs both inside a sandbox.
#
# Names, signatures, equality tests and how many inputs there are come from the data (robocodegen/problems.json);
# here `PROBLEMS` has by name: how input number i is drawn, and the source of a solution, which obeys the rules
# for sources.  Draws come from Python's random.random() of a text as seed, whose sequence Python promises to
# keep, so the inputs are the same everywhere; robot_test.c has their hash.
#
# Where the original's draws have one answer only (no system of its kind is stable, no shape contains another),
# these have both.  Where a signature leaves a convention open that the original's inputs do not decide either (are all
# pairs of objects close, or all close to the first?), all readings agree here.
import random

import numpy as np
from shapely.affinity import *
from shapely.geometry import *


class Draw:
    """The numbers of one input."""

    def __init__(self, name, number):
        self.rng = random.Random("robocodegen/%s/%d" % (name, number))

    def real(self, low=0.0, high=1.0):
        return low + (high - low) * self.rng.random()

    def whole(self, low, high):
        """low to high, both among them."""
        return low + int(self.rng.random() * (high - low + 1))

    def array(self, *shape, low=0.0, high=1.0):
        count = int(np.prod(shape))
        return np.array([self.real(low, high) for _ in range(count)]).reshape(shape)

    def points(self, count=10):
        return self.array(count, 2)

    def line(self):
        return LineString(self.points(2))

    def polygon(self):
        """Six corners around a point, none far in."""
        angles = np.sort(self.array(6, high=2 * np.pi))
        return Polygon([(np.cos(a) * self.real(0.3, 1), np.sin(a) * self.real(0.3, 1)) for a in angles])

    def matrix(self, radius, low=-1.0):
        """Five by five, of that spectral radius."""
        m = self.array(5, 5, low=low)
        return m * (radius / np.max(np.abs(np.linalg.eigvals(m))))


# Objects. --------------------------------------------------------------------------------------------------

# Squares: center and width.  block1 lies inside block0, block2 crosses its edge, the others stand apart.
BLOCKS = {
    "block0": ((0.0, 0.0), 0.4),
    "block1": ((0.06, 0.05), 0.1),
    "block2": ((0.2, 0.12), 0.2),
    "block3": ((0.9, 0.8), 0.3),
    "block4": ((0.8, -0.6), 0.12),
    "block5": ((-0.6, 0.7), 0.05),
}


def get_obj_outer_pts_np(obj_name):
    """The corners counter-clockwise from the lower right, which comes again at the end."""
    (x, y), width = BLOCKS[obj_name]
    half = width / 2
    signs = [(1, -1), (1, 1), (-1, 1), (-1, -1), (1, -1)]
    return np.array([(x + half * a, y + half * b) for a, b in signs])


# What each function is called with. --------------------------------------------------------------------------


def fixed(*inputs):
    return lambda draw, i: inputs[i % len(inputs)]


def near_and_far(draw, i):
    """In the first the nearest and the farthest are others by other metrics."""
    points, point = draw.points(), draw.array(2)
    if i == 0:
        points[[3, 6]] = point + [[0.006, 0.006], [0.009, 0]]
        points[[1, 8]] = point + [[1.2, 1.2], [1.8, 0]]
    return points, point


def in_or_out(draw, i):
    low, high = draw.array(2, low=-1, high=0), draw.array(2, low=0.1)
    point = low + (high - low) * draw.array(2, low=0.05, high=0.95)
    if i % 4 == 1:
        point[0] = high[0] + draw.real(0.1, 1)
    if i % 4 == 3:
        point[1] = low[1] - draw.real(0.1, 1)
    return np.concatenate([low, high]), point


def system(draw, i):
    """Stable where i is even; an unstable one's largest eigenvalue is negative, or any."""
    if i % 4 == 1:
        return -draw.matrix(draw.real(1.1, 1.5), low=0.0)
    return draw.matrix(draw.real(0.6, 0.9) if i % 2 == 0 else draw.real(1.1, 1.5))


def closed_loop(draw, i):
    b, k = draw.array(5, 3), draw.array(3, 5)
    return system(draw, i) + b @ k, b, k


def point_and_line(draw, i):
    """The first point is beyond the line's end."""
    line, point = draw.line(), draw.array(2, low=-0.5, high=1.5)
    if i == 0:
        start, end = np.array(line.coords)
        point = end + (end - start) * 0.7 + np.array([0.1, 0.05])
    return line, point


def either_side(draw, i):
    line = draw.line()
    start, end = np.array(line.coords)
    along = end - start
    across = np.array([-along[1], along[0]]) * (1 if i % 2 else -1)
    return line, start + along * draw.real(0.2, 0.8) + across * draw.real(0.2, 1)


INPUTS = {
    "get_top_most_idx": lambda d, i: (d.points(),),
    "get_bottom_most_idx": lambda d, i: (d.points(),),
    "get_left_most_idx": lambda d, i: (d.points(),),
    "get_right_most_idx": lambda d, i: (d.points(),),
    "get_farthest_idx": near_and_far,
    "get_closest_idx": near_and_far,
    "get_bbox_xyxy_area": lambda d, i: (np.concatenate([d.array(2), d.array(2, low=1.1, high=2)]),),
    "bbox_xyxy_contains_pt": in_or_out,
    "interpolate_pts_np": lambda d, i: (d.array(2), d.array(2), d.whole(3, 6)),
    "reverse_pts": lambda d, i: (d.points(),),
    "normalize_vector": lambda d, i: (d.array(d.whole(2, 9), low=-1),),
    "translate_pts_np": lambda d, i: (d.points(), d.array(2, low=-1)),
    "rotate_pts_around_pts_center_np": lambda d, i: (d.points(), d.real(-170, 170)),
    "scale_pts_around_centroid_np": lambda d, i: (d.points(), d.real(0.2, 3), d.real(0.2, 3)),
    "fit_2d_np_polys": lambda d, i: (np.linspace(0, 10, 10), d.points(), d.whole(3, 5)),
    "evaluate_pts_2d_from_poly_coeffs": lambda d, i: (d.array(5), d.array(5), np.linspace(0, 10, 10)),
    "pd_control": lambda d, i: (d.array(2), d.array(2), d.array(2), d.real(), d.real()),
    "end_effector_impedance_control": lambda d, i: (
        d.array(3), d.array(3), d.array(3), np.diag(d.array(3)), np.diag(d.array(3)), d.array(3, 6)),
    "is_discrete_system_stable": lambda d, i: (system(d, i),),
    "is_closed_loop_discrete_system_stable": closed_loop,
    "get_closest_point_on_line_to_point": point_and_line,
    "get_direction_orthogonal_to_line": lambda d, i: (d.line(),),
    "get_direction_orthogonal_to_line_to_point": either_side,
    "get_points_from_polygon": lambda d, i: (d.polygon(),),
    "interpolate_pts_along_exterior": lambda d, i: (d.polygon().exterior, d.whole(2, 40)),
    "interpolate_pts_on_line": lambda d, i: (d.line(), d.whole(2, 40)),
    "make_line": lambda d, i: (d.array(2), d.array(2)),
    "make_circle": lambda d, i: (d.real(0.1, 0.4), d.array(2)),
    "make_rectangle": lambda d, i: (d.real(0.1, 0.4), d.real(0.5, 0.9), d.array(2)),
    "make_ellipse": lambda d, i: (d.array(2), d.real(0.3, 0.5), d.real(0.1, 0.2)),
    "obj_shape_does_not_contain_others": fixed(
        ("block0", ["block3", "block1", "block4"]), ("block1", ["block0", "block3"]), ("block2", ["block4", "block0"])),
    "is_obj0_bigger_than_obj1": fixed(
        ("block0", "block3"), ("block5", "block1"), ("block2", "block4"), ("block4", "block3"), ("block3", "block2")),
    "get_one_bbox_xyxy_of_all_objs": fixed((["block2", "block5", "block4"],), (["block3", "block0"],)),
    "are_obj_centers_close": fixed((["block0", "block2", "block3"], 0.6), (["block0", "block2", "block1"], 0.35)),
    "get_name_of_biggest_obj": fixed((["block2", "block3", "block4"],), (["block0", "block5", "block1"],)),
    "do_any_object_shapes_intersect_with_each_other": fixed(
        (["block3", "block2", "block0"],), (["block5", "block3", "block4"],)),
    "get_name_of_obj_with_min_dist_to_pt": fixed(
        (np.array([0.7, 0.9]), ["block0", "block3", "block5"]),
        (np.array([0.6, -0.4]), ["block4", "block5", "block2"])),
}

# Solutions. ------------------------------------------------------------------------------------------------

SOLUTIONS = '''
def get_top_most_idx(points_np):
    return int(points_np[:, 1].argmax())

def get_bottom_most_idx(points_np):
    return int(points_np[:, 1].argmin())

def get_left_most_idx(points_np):
    return int(points_np[:, 0].argmin())

def get_right_most_idx(points_np):
    return int(points_np[:, 0].argmax())

def get_farthest_idx(points_np, point_np):
    return int(np.square(points_np - point_np).sum(axis=1).argmax())

def get_closest_idx(points_np, point_np):
    return int(np.square(points_np - point_np).sum(axis=1).argmin())

def get_bbox_xyxy_area(bbox_xyxy):
    left, low, right, high = bbox_xyxy
    return (right - left) * (high - low)

def bbox_xyxy_contains_pt(bbox_xyxy, pt):
    left, low, right, high = bbox_xyxy
    return bool(left <= pt[0] <= right and low <= pt[1] <= high)

def interpolate_pts_np(start, end, n):
    t = np.linspace(0, 1, n).reshape(-1, 1)
    return start * (1 - t) + end * t

def reverse_pts(pts_np):
    return np.flip(pts_np, axis=0)

def normalize_vector(vector):
    return vector / np.sqrt(vector @ vector)

def translate_pts_np(pts_np, delta_np):
    return np.asarray(pts_np) + np.asarray(delta_np)

def rotate_pts_around_pts_center_np(pts_np, angle_deg):
    turn = np.exp(1j * np.radians(angle_deg))
    plane = pts_np[:, 0] + 1j * pts_np[:, 1]
    turned = (plane - plane.mean()) * turn + plane.mean()
    return np.column_stack([turned.real, turned.imag])

def scale_pts_around_centroid_np(pts_np, scale_x=1.5, scale_y=1.5):
    middle = pts_np.mean(axis=0)
    return middle + (pts_np - middle) * [scale_x, scale_y]

def fit_2d_np_polys(ts, pts_2d_np, deg):
    both = np.polyfit(ts, pts_2d_np, deg)
    return both[:, 0], both[:, 1]

def evaluate_pts_2d_from_poly_coeffs(poly_x_coeffs, poly_y_coeffs, ts):
    powers = np.vander(ts, len(poly_x_coeffs))
    return powers @ np.column_stack([poly_x_coeffs, poly_y_coeffs])

def pd_control(x_curr, x_goal, x_dot, Kp, Kv):
    return Kp * (x_goal - x_curr) - Kv * x_dot

def end_effector_impedance_control(x_curr, x_goal, x_dot, K_x_mat, D_x_mat, J):
    force = K_x_mat @ (x_goal - x_curr) - D_x_mat @ x_dot
    return J.T @ force

def is_discrete_system_stable(A_mat):
    return bool(np.abs(np.linalg.eigvals(A_mat)).max() < 1)

def is_closed_loop_discrete_system_stable(A_mat, B_mat, K_mat):
    return bool(np.abs(np.linalg.eigvals(A_mat - B_mat @ K_mat)).max() < 1)

def get_closest_point_on_line_to_point(line, pt_np):
    start, end = np.array(line.coords)
    along = end - start
    t = np.clip((pt_np - start) @ along / (along @ along), 0, 1)
    return start + t * along

def get_direction_orthogonal_to_line(line):
    (x0, y0), (x1, y1) = line.coords
    return np.array([y1 - y0, x0 - x1]) / np.hypot(x1 - x0, y1 - y0)

def get_direction_orthogonal_to_line_to_point(line, pt_np):
    start, end = np.array(line.coords)
    along = (end - start) / np.linalg.norm(end - start)
    across = (pt_np - start) - ((pt_np - start) @ along) * along
    return across / np.linalg.norm(across)

def get_points_from_polygon(polygon):
    return np.array(list(polygon.exterior.coords))

def interpolate_pts_along_exterior(exterior, n):
    steps = np.linspace(0, exterior.length, n)
    return np.array([exterior.interpolate(step).coords[0] for step in steps])

def interpolate_pts_on_line(line, n):
    steps = np.linspace(0, line.length, n)
    return np.array([line.interpolate(step).coords[0] for step in steps])

def make_line(start_pt_np, end_pt_np):
    return LineString([start_pt_np, end_pt_np])

def make_circle(radius, center):
    return Point(*center).buffer(radius)

def make_rectangle(width, height, center):
    x, y = center
    return box(x - width / 2, y - height / 2, x + width / 2, y + height / 2)

def make_ellipse(center, major_axis, minor_axis):
    return scale(Point(*center).buffer(1), xfact=major_axis, yfact=minor_axis)

def obj_shape_does_not_contain_others(obj_name, other_obj_names):
    shape = Polygon(get_obj_outer_pts_np(obj_name))
    return not any(shape.contains(Polygon(get_obj_outer_pts_np(other))) for other in other_obj_names)

def is_obj0_bigger_than_obj1(obj0_name, obj1_name):
    area0, area1 = [Polygon(get_obj_outer_pts_np(name)).area for name in (obj0_name, obj1_name)]
    return area0 > area1

def get_one_bbox_xyxy_of_all_objs(all_obj_names):
    corners = np.vstack([get_obj_outer_pts_np(name) for name in all_obj_names])
    return np.concatenate([corners.min(axis=0), corners.max(axis=0)])

def are_obj_centers_close(obj_names, threshold):
    centers = [get_obj_outer_pts_np(name).mean(axis=0) for name in obj_names]
    return all(np.linalg.norm(center - centers[0]) < threshold for center in centers[1:])

def get_name_of_biggest_obj(obj_names):
    return max(obj_names, key=lambda name: Polygon(get_obj_outer_pts_np(name)).area)

def do_any_object_shapes_intersect_with_each_other(obj_names):
    shapes = [Polygon(get_obj_outer_pts_np(name)) for name in obj_names]
    return any(shape.intersects(other) for i, shape in enumerate(shapes) for other in shapes[:i])

def get_name_of_obj_with_min_dist_to_pt(pt_np, obj_names):
    return min(obj_names, key=lambda name: np.linalg.norm(get_obj_outer_pts_np(name) - pt_np, axis=1).min())
'''
